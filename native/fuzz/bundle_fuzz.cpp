// A bundle from a file, which the driver runs: program, seeds and inputs. What is accepted says the same
// after it was written and read again.
#include "../core/bundle.hpp"
#include "fuzz.hpp"

using namespace cryptorch;

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  return fuzz::mutate_words(data, size, most, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::accepts(Code::bad_plan, [&] {
    const std::vector<std::byte> once = encode_bundle(decode_bundle(std::as_bytes(std::span(data, size))));
    fuzz::require(once.size() <= size, "a bundle of no more than was read");
    fuzz::require(once == encode_bundle(decode_bundle(once)), "the same bundle once more");
  });
  return 0;
}
