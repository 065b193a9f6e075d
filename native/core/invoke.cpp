#include "invoke.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "arena.hpp"
#include "error.hpp"
#include "layout.hpp"

namespace cryptorch {
namespace {

void require(bool holds, const Kernel& kernel, const std::string& what) {
  if (!holds) throw Error(Code::invalid_option, std::string(kernel.name) + ": " + what);
}

bool fits(const void* data, size_t room, Layout layout, uint64_t elements, uint32_t bits, uint32_t planes) {
  return !data || layout_bytes(layout, elements, bits, planes) <= room;
}

}  // namespace

const Kernel* find_kernel(const KernelTable& table, const char* name) {
  for (size_t i = 0; i < table.count; ++i) {
    if (!std::strcmp(table.kernels[i].name, name)) return &table.kernels[i];
  }
  return nullptr;
}

void invoke(const Kernel& kernel, std::span<const BoundedSource> sources, std::span<const BoundedSink> sinks,
            std::span<const int64_t> attributes, uint32_t lead) {
  std::vector<Source> in;
  std::vector<Sink> out;
  for (const BoundedSource& bounded : sources) {
    const Source& s = bounded.source;
    require(s.bits >= 1 && s.bits <= 64, kernel, "a width that is not 1 to 64 bits");
    require(!s.elements || (s.inner && s.mid && s.mid <= s.elements), kernel,
            "broadcast outside of the operand");
    require(fits(s.data, bounded.data_bytes, s.layout, s.elements, s.bits, s.planes), kernel,
            "an operand is too short");
    const Layout layout = s.layout == Layout::planes ? Layout::planes : Layout::packed;
    require(fits(s.correction, bounded.correction_bytes, layout, s.elements, s.bits, s.planes), kernel,
            "a correction is too short");
    in.push_back(s);
  }
  for (const BoundedSink& bounded : sinks) {
    const Sink& s = bounded.sink;
    require(s.bits >= 1 && s.bits <= 64, kernel, "a width that is not 1 to 64 bits");
    require(fits(s.data, bounded.data_bytes, s.layout, s.elements, s.bits, s.planes), kernel,
            "a result is too short");
    out.push_back(s);
  }
  Args args{in.data(),
            static_cast<uint32_t>(in.size()),
            out.data(),
            static_cast<uint32_t>(out.size()),
            attributes.data(),
            static_cast<uint32_t>(attributes.size()),
            lead,
            0,
            0};
  if (const char* wrong = kernel.check(args)) require(false, kernel, wrong);
  uint64_t grain = 1;
  args.count = kernel.units(args, &grain);
  Arena arena;
  const Region scratch = arena.allocate(kernel.scratch(args));
  if (args.count) kernel.run(args, scratch.data());
}

}  // namespace cryptorch
