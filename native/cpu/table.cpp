// The table of kernels of one instruction set.
#include "kernels.hpp"

#define CT_NAME_OF(target) #target
#define CT_NAME(target) CT_NAME_OF(target)
#define CT_TABLE_ENTRY(id, symbol, name) \
  {id, name, symbol##_check, symbol##_units, symbol##_scratch, symbol##_run},

namespace cryptorch::CT_TARGET {
namespace {

constexpr Kernel kKernels[] = {CT_KERNELS(CT_TABLE_ENTRY)};

}  // namespace

extern const KernelTable kTable;
constinit const KernelTable kTable = {CT_NAME(CT_TARGET), kKernels, sizeof(kKernels) / sizeof(kKernels[0])};

}  // namespace cryptorch::CT_TARGET
