// The settings of a node or an optimizer as they come from outside: names and plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/check.h"

namespace pynn::ops {

class Spec {
 public:
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;

  std::string owner;  // the layer's name, for messages
  std::map<std::string, Value> values;

  bool flag(const std::string& key) const { return std::get<bool>(find(key)); }
  std::string text(const std::string& key) const { return std::get<std::string>(find(key)); }
  double number(const std::string& key) const {
    const Value& value = find(key);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    return std::get<double>(value);
  }
  std::vector<double> list(const std::string& key) const {
    return std::get<std::vector<double>>(find(key));
  }
  bool has(const std::string& key) const { return values.count(key) != 0; }

 private:
  const Value& find(const std::string& key) const {
    const auto it = values.find(key);
    check(it != values.end(), owner, ": the setting '", key, "' is missing.");
    return it->second;
  }
};

}  // namespace pynn::ops
