#include "dispatch.hpp"

#include <cstdlib>
#include <cstring>

// A build may leave the wide kernels out, so that it takes less time: CT_BASELINE_ONLY.
#if defined(__x86_64__) && !defined(CT_BASELINE_ONLY)
#define CT_WIDE 1
#else
#define CT_WIDE 0
#endif

namespace cryptorch {

namespace baseline {
extern const KernelTable kTable;
}
#if CT_WIDE
namespace avx2 {
extern const KernelTable kTable;
}
namespace avx512core {
extern const KernelTable kTable;
}
namespace avx512 {
extern const KernelTable kTable;
}
#endif

namespace {

bool runs_baseline() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("ssse3") &&
         __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("pclmul");
#else
  return true;
#endif
}

#if CT_WIDE

bool runs_avx2() {
  return runs_baseline() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

bool runs_avx512core() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

bool runs_avx512() {
  return runs_avx512core() && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bitalg") &&
         __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("gfni") &&
         __builtin_cpu_supports("vaes") && __builtin_cpu_supports("vpclmulqdq");
}

#endif

}  // namespace

size_t kernel_tables(const KernelTable** tables, size_t most) {
  size_t count = 0;
  const auto add = [&](const KernelTable& table) {
    if (count < most) tables[count] = &table;
    ++count;
  };
#if CT_WIDE
  if (runs_avx512()) add(avx512::kTable);
  if (runs_avx512core()) add(avx512core::kTable);
  if (runs_avx2()) add(avx2::kTable);
#endif
  if (runs_baseline()) add(baseline::kTable);
  return count < most ? count : most;
}

const KernelTable* kernel_table(const char* isa) {
  const KernelTable* tables[kMostTables];
  const size_t count = kernel_tables(tables, kMostTables);
  if (!isa) isa = std::getenv("CRYPTORCH_ISA");
  if (!isa || !*isa) return count ? tables[0] : nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (!std::strcmp(tables[i]->isa, isa)) return tables[i];
  }
  return nullptr;
}

}  // namespace cryptorch
