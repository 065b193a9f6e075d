// Whether a kernel accepts the operands that a plan gives it, and how it divides its work.
#pragma once
#include <string>
#include <vector>

#include "plan.hpp"

namespace cryptorch {

class KernelCheck {
 public:
  // Of a step whose operands, results and attributes are in the plan already: sets its units and grain, and
  // raises the plan's scratch memory. Otherwise says what is wrong.
  std::string prepare(Plan& plan, KernelStep& step);

 private:
  std::vector<Source> sources_;
  std::vector<Sink> sinks_;
  std::vector<Prg> prgs_;
};

}  // namespace cryptorch
