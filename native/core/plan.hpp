// A plan: everything one role does, as the scheduler wrote it. Decoding checks it completely, so that the
// executor can run it without looking again: regions and alignment, indices of keys, nodes, peers and inputs,
// and the operands of every kernel by the kernel's own check. A malformed plan is an Error(bad_plan) that
// says where.
//
// A plan is an array of int64 words (little-endian in files):
//   header   "CCTPLAN1", version 1, parties n, role (0..n-1 a party, n the dealer, n+1 cleartext),
//            bytes of the state, material and work regions, number of keys, inputs and outputs, nodes,
//            steps of setup, of offline, of online
//   io       per input or output: kind (0 input, 1 output), phase, elements, scale, bits
//   steps    [words of this step including this one, type, fields...], setup first, online last
//     0 kernel       kernel, node, lead, ins, outs, attrs, the sources, the sinks, the attributes
//         source     region, offset, layout, bits, planes, elements, inner, mid, streams,
//                    (key, fresh, value, sign) per stream, region and offset of the correction
//         sink       region, offset, layout, bits, planes, elements
//     1 send         exchange, peer, region, offset, bytes, segments, (node, bytes) per segment
//     2 receive      the same
//     3 input        io, region, offset: the caller's numbers in fixed point, ring layout
//     4 output       io, region, offset: ring layout, signed, io.bits wide
//     5 share_input  io, region, offset, part, parts: additive share `part` of the caller's numbers
// Regions: 0 none, 1 state, 2 material, 3 work. Offsets are in bytes, multiples of 8.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kernel.hpp"

namespace cryptorch {

enum class Phase : uint32_t { setup = 0, offline = 1, online = 2 };
constexpr size_t kPhases = 3;
const char* phase_name(Phase phase);

enum Place : uint32_t { kNowhere = 0, kState = 1, kMaterial = 2, kWork = 3 };
constexpr size_t kPlaces = 4;

// A place in memory that gets its address when a step runs.
struct Ref {
  uint32_t place = kNowhere;
  uint64_t offset = 0;
};

struct Stream {
  uint32_t key;
  uint32_t value;
  bool fresh;  // this run's number, otherwise run 0: what it makes belongs to the state
  int64_t sign;
};

struct Operand {
  Source source;  // all but the addresses
  Ref data, correction;
  uint32_t first_stream;
};

struct Result {
  Sink sink;  // all but the address
  Ref data;
};

struct Io {
  bool output;
  bool written;  // an output that this role computes
  Phase phase;
  uint64_t elements;
  int32_t scale;
  uint32_t bits;
};

// A part of a frame that one node caused.
struct Segment {
  uint32_t node;
  bool first;  // the node's first segment of this exchange in its phase: counts the exchange (at parties,
               // only those with other parties)
  uint64_t bytes;
};

// One frame to or from a peer.
struct Exchange {
  uint32_t id;
  uint32_t peer;
  Ref data;
  uint64_t bytes;
  uint32_t first_segment, segments;
};

struct KernelStep {
  const Kernel* kernel;
  uint32_t node;
  uint32_t lead;
  uint32_t first_operand, operands;
  uint32_t first_result, results;
  uint32_t first_attribute, attributes;
  uint64_t units, grain;
};

struct IoStep {
  uint32_t io;
  Ref data;
  uint32_t part, parts;
};

enum class StepType : uint32_t { kernel = 0, send = 1, receive = 2, input = 3, output = 4, share_input = 5 };

struct Step {
  StepType type;
  uint32_t index;  // into kernel_steps, exchanges or io_steps
};

struct Plan {
  uint32_t parties = 0;
  uint32_t role = 0;
  std::array<uint64_t, kPlaces> bytes{};  // by place
  uint32_t keys = 0;
  std::vector<uint32_t> used_keys;  // of the streams, increasing
  uint32_t nodes = 0;
  std::vector<Io> ios;
  std::array<std::vector<Step>, kPhases> phases;

  std::vector<KernelStep> kernel_steps;
  std::vector<Operand> operands;
  std::vector<Stream> streams;
  std::vector<Result> results;
  std::vector<int64_t> attributes;
  std::vector<Exchange> exchanges;
  std::vector<Segment> segments;
  std::vector<IoStep> io_steps;

  // What executing a step needs at most.
  uint32_t most_operands = 0, most_results = 0, most_streams = 0;
  size_t scratch = 0;
  uint32_t most_shares = 1;  // parts of a shared input

  // What a kernel step's kernel is given; which elements it computes comes later.
  Args args(const KernelStep& step, const Source* sources, Sink* sinks) const {
    return {sources,
            step.operands,
            sinks,
            step.results,
            attributes.data() + step.first_attribute,
            step.attributes,
            step.lead,
            0,
            0};
  }
  bool is_dealer() const { return role == parties; }
  bool is_cleartext() const { return role == parties + 1; }
  bool has_peer(uint32_t peer) const;
  bool has_shared_inputs() const { return most_shares > 1; }
  uint64_t total_bytes() const { return bytes[kState] + bytes[kMaterial] + bytes[kWork]; }
};

// The kernels of `table` are those that will run. Throws Error(bad_plan).
Plan decode_plan(std::span<const int64_t> words, const KernelTable& table);

}  // namespace cryptorch
