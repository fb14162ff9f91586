// The settings of a node or an optimizer as they come from outside: names and plain values.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/check.h"
#include "core/dtype.h"

namespace pynn::ops {

// A node that something outside the engine computes. Implementations hold no state of a run.
struct External {
  struct Array {
    void* data;   // null for a gradient that is not wanted
    Shape shape;  // with the batch axis, where the tensor has one
    DType dtype;
    bool variable;  // stored as variables are (core/arena.h)
  };
  virtual ~External() = default;
  // The inputs, then the variables. `kept` is null where no backward pass can follow.
  virtual void forward(const Array& y, std::shared_ptr<void>* kept, const std::vector<Array>& x,
                       bool training) const = 0;
  // dx[i] is written, not added to.
  virtual void backward(const std::vector<Array>& dx, std::shared_ptr<void>* kept, const Array& dy,
                        const std::vector<Array>& x) const = 0;
};

class Spec {
 public:
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>,
                             std::shared_ptr<const External>>;

  std::string owner;  // the layer's name, for messages
  std::map<std::string, Value> values;

  bool flag(const std::string& key) const { return get<bool>(key, "a bool"); }
  std::string text(const std::string& key) const { return get<std::string>(key, "a string"); }
  double number(const std::string& key) const {
    const Value& value = find(key);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    return get<double>(key, "a number");
  }
  isize whole(const std::string& key) const {
    if (const auto* exact = std::get_if<std::int64_t>(&find(key))) return *exact;
    return whole_of(key, number(key));
  }
  std::vector<double> list(const std::string& key) const {
    return get<std::vector<double>>(key, "a list of numbers");
  }
  std::vector<isize> whole_list(const std::string& key) const {
    std::vector<isize> all;
    for (double value : list(key)) all.push_back(whole_of(key, value));
    return all;
  }
  std::shared_ptr<const External> external(const std::string& key) const {
    return get<std::shared_ptr<const External>>(key, "a pair of functions");
  }
  bool has(const std::string& key) const { return values.count(key) != 0; }

 private:
  template <class V>
  const V& get(const std::string& key, const char* kind) const {
    const V* value = std::get_if<V>(&find(key));
    check(value != nullptr, owner, ": the setting '", key, "' must be ", kind, ".");
    return *value;
  }
  isize whole_of(const std::string& key, double value) const {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    check(std::abs(value) <= kExact && value == std::trunc(value), owner, ": the setting '", key,
          "' must hold whole numbers. Received: ", value, ".");
    return static_cast<isize>(value);
  }
  const Value& find(const std::string& key) const {
    const auto it = values.find(key);
    check(it != values.end(), owner, ": the setting '", key, "' is missing.");
    return it->second;
  }
};

}  // namespace pynn::ops
