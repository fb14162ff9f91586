// The settings of a node or an optimizer as they come from outside: names and plain values.
#pragma once

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
  std::shared_ptr<const External> external(const std::string& key) const {
    return std::get<std::shared_ptr<const External>>(find(key));
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
