// One kernel called by itself, outside of any plan: the ring functions of the package and the tests. The same
// checks as for a step of a plan are made before anything is touched.
#pragma once
#include <span>

#include "kernel.hpp"

namespace cryptorch {

// A source with the sizes of its buffers in bytes.
struct BoundedSource {
  Source source;
  size_t data_bytes = 0, correction_bytes = 0;
};

struct BoundedSink {
  Sink sink;
  size_t data_bytes = 0;
};

// Null where the table has no such kernel.
const Kernel* find_kernel(const KernelTable& table, const char* name);

// Throws Error(invalid_option).
void invoke(const Kernel& kernel, std::span<const BoundedSource> sources, std::span<const BoundedSink> sinks,
            std::span<const int64_t> attributes, uint32_t lead);

}  // namespace cryptorch
