// Choice of the kernels that fit the processor.
#pragma once
#include <cstddef>

#include "../core/kernel.hpp"

namespace cryptorch {

constexpr size_t kMostTables = 4;

// The kernels for an instruction set: "baseline", "avx2", "avx512core" (Skylake-SP: no VAES, no GFNI) or
// "avx512" (Ice Lake, Zen 4); null if this processor or this build lacks it. With a null name: what the
// environment variable CRYPTORCH_ISA names, or else the best there is.
const KernelTable* kernel_table(const char* isa);

// Every table that this processor can run, best first; how many there are (at most `most` are written).
size_t kernel_tables(const KernelTable** tables, size_t most);

}  // namespace cryptorch
