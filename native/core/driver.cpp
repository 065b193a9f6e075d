// Runs a bundle without Node: for sanitizers, profilers and machines without it.
//
//   driver BUNDLE [--isa baseline|avx2|avx512core|avx512] [--threads N] [--repeat N] [--timeout MILLISECONDS]
//
// Prints one JSON object per repetition: seconds, and for every role its peak memory, a checksum (FNV-1a of
// the bits) of every output, and rounds, bytes per peer, and bytes and exchanges per node of each phase.
// Fails with a message on standard error and status 1.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "bundle.hpp"

namespace cryptorch {
namespace {

uint64_t checksum(const LocalOutput& output) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const uint64_t word : output.data) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (word >> (8 * i) & 255)) * 0x100000001B3;
  }
  return hash;
}

void print_phase(const char* name, const PhaseReport& phase) {
  std::printf("\"%s\": {\"clock\": %u, \"bytesSent\": [", name, phase.counters.clock);
  const char* comma = "";
  for (const uint64_t bytes : phase.counters.bytes_sent) {
    std::printf("%s%" PRIu64, comma, bytes);
    comma = ", ";
  }
  std::printf("], \"nodes\": [");
  comma = "";
  for (size_t i = 0; i < phase.counters.nodes.size(); ++i) {
    const NodeCount& node = phase.counters.nodes[i];
    if (!node.bytes && !node.exchanges && phase.seconds[i] == 0) continue;
    std::printf("%s{\"node\": %zu, \"bytes\": %" PRIu64 ", \"exchanges\": %u, \"seconds\": %.9f}", comma, i,
                node.bytes, node.exchanges, phase.seconds[i]);
    comma = ", ";
  }
  std::printf("]}");
}

void print(const LocalResult& result) {
  std::printf(
      "{\"isa\": \"%s\", \"seconds\": {\"setup\": %.9f, \"offline\": %.9f, \"online\": %.9f}, \"roles\": [",
      result.isa.c_str(), result.seconds[0], result.seconds[1], result.seconds[2]);
  const char* comma = "";
  for (const LocalRoleResult& role : result.roles) {
    std::printf("%s{\"role\": %u, \"peakBytes\": %" PRIu64 ", \"outputs\": [", comma, role.role,
                role.peak_bytes);
    const char* inner = "";
    for (size_t i = 0; i < role.outputs.size(); ++i) {
      if (!role.outputs[i].present) continue;
      std::printf("%s{\"io\": %zu, \"elements\": %zu, \"checksum\": \"%016" PRIx64 "\"}", inner, i,
                  role.outputs[i].data.size(), checksum(role.outputs[i]));
      inner = ", ";
    }
    std::printf("], \"phases\": {");
    for (size_t phase = 0; phase < kPhases; ++phase) {
      if (phase) std::printf(", ");
      print_phase(phase_name(static_cast<Phase>(phase)), role.phases[phase]);
    }
    std::printf("}}");
    comma = ", ";
  }
  std::printf("]}\n");
}

int usage() {
  std::fprintf(stderr,
               "usage: driver BUNDLE [--isa NAME] [--threads N] [--repeat N] [--timeout MILLISECONDS]\n");
  return 2;
}

int main(int count, char** arguments) {
  if (count < 2 || count % 2) return usage();
  std::ifstream file(arguments[1], std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "driver: cannot read %s\n", arguments[1]);
    return 1;
  }
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const LocalConfig bundle = decode_bundle(std::as_bytes(std::span(bytes)));
  std::string isa;
  unsigned long threads = 0, repeat = 1, timeout = 0;
  for (int i = 2; i + 1 < count; i += 2) {
    const char* value = arguments[i + 1];
    if (!std::strcmp(arguments[i], "--isa")) {
      isa = value;
    } else if (!std::strcmp(arguments[i], "--threads")) {
      threads = std::strtoul(value, nullptr, 10);
    } else if (!std::strcmp(arguments[i], "--repeat")) {
      repeat = std::strtoul(value, nullptr, 10);
    } else if (!std::strcmp(arguments[i], "--timeout")) {
      timeout = std::strtoul(value, nullptr, 10);
    } else {
      return usage();
    }
  }
  for (unsigned long i = 0; i < repeat; ++i) {
    LocalConfig config = bundle;
    config.isa = isa;
    config.threads = static_cast<uint32_t>(threads);
    config.timeout_ms = timeout;
    print(LocalRun(std::move(config)).run());
  }
  return 0;
}

}  // namespace
}  // namespace cryptorch

int main(int count, char** arguments) {
  try {
    return cryptorch::main(count, arguments);
  } catch (...) {
    const cryptorch::Error error = cryptorch::current_error();
    std::fprintf(stderr, "driver: %s: %s\n", code_name(error.code), error.what());
    return 1;
  }
}
