// NumPy's generators of random bits -> the shuffle of an epoch's rows.
#include "kernels/shuffle.h"

#include "bindings/arrays.h"
#include "bindings/register.h"

namespace pynn::bindings {
namespace {

// What the capsule of a numpy.random.BitGenerator points to (numpy/random/bitgen.h).
struct BitGenerator {
  void* state;
  std::uint64_t (*next_uint64)(void* state);
  std::uint32_t (*next_uint32)(void* state);
  double (*next_double)(void* state);
  std::uint64_t (*next_raw)(void* state);
};

void shuffle(Dense<std::int64_t>& order, const py::capsule& generator) {
  check(PyCapsule_IsValid(generator.ptr(), "BitGenerator") != 0,
        "generator must be the capsule of a numpy.random.BitGenerator. Received: ",
        std::string(py::str(generator)), ".");
  const auto& bits = *generator.get_pointer<BitGenerator>();
  kernels::shuffle(order.mutable_data(), order.size(),
                   [&bits] { return bits.next_uint32(bits.state); });
}

}  // namespace

void register_shuffle(py::module_& m) {
  m.def("shuffle", &shuffle, py::arg("order").noconvert(), py::arg("generator"),
        "Shuffles in place, as numpy.random.RandomState does with the same random bits.");
}

}  // namespace pynn::bindings
