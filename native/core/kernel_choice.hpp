// The kernels that a caller asks for by the name of an instruction set; where it asks for none, those that
// the environment names, or the best of this processor. Throws invalid_option where there are none.
#pragma once
#include <cstdlib>
#include <string>

#include "../cpu/dispatch.hpp"
#include "error.hpp"

namespace cryptorch {

inline const KernelTable& kernels_for(const std::string& isa) {
  if (const KernelTable* table = kernel_table(isa.empty() ? nullptr : isa.c_str())) return *table;
  const char* forced = std::getenv("CRYPTORCH_ISA");
  if (!isa.empty() || !forced || !*forced)
    throw Error(Code::invalid_option, "no kernels for '" + isa + "' on this machine");
  throw Error(Code::invalid_option,
              "no kernels for '" + std::string(forced) + "' on this machine, which CRYPTORCH_ISA names");
}

}  // namespace cryptorch
