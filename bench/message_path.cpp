// What our own code costs between a command's bytes and the frame that all members get.
//
// Runs the five steps of a seek apart from each other, each in batches, and prints the median
// nanoseconds a message. With --step and --messages it runs one step that many times and nothing
// else, for a profiler that counts instructions. See README.md.
#include <fmt/core.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"

namespace videosync::bench {

namespace {

constexpr std::size_t batches = 51;
constexpr std::size_t batch_messages = 2'000;

// A session of one host, and what a worker reuses from message to message.
struct Path {
  SessionMachine::Limits limits;
  SessionMachine machine{limits, {}, {}, {"big-buck-bunny", 3'600}, 0};
  Effects effects;
  WebSocketDecoder frames;
  MessageDecoder messages;
  MemberId host;
  std::int64_t now_us = 1;
  std::string frame;           // a seek as its client sends it
  std::string padded;          // its text, with json_padding behind it
  std::string_view text;       // the text itself
  std::string encoded;         // the state as text
  std::uint64_t checksum = 0;  // so that no step is thrown away as useless

  Path() {
    constexpr std::string_view seek = R"({"type":"seek","position":1234.5})";
    append_masked_frame(frame, WebSocketOpcode::text, seek, {0x12, 0x34, 0x56, 0x78});
    padded = std::string(seek) + std::string(json_padding, ' ');
    text = std::string_view(padded).substr(0, seek.size());
    host = machine.join({}, now_us, effects)->id;
    effects.clear();
    encode_state(encoded, machine.state());
  }

  void unframe() {
    frames.feed({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
    while (true) {
      const WebSocketEvent event = frames.next();
      if (event.kind == WebSocketEvent::Kind::need_more) break;
      checksum += event.payload.size();
    }
  }
  void decode() {
    const auto message = decode_client_message(text, messages);
    VS_ASSERT(message.has_value());
    checksum += message->index();
  }
  void decide() {
    now_us += 100'000;
    effects.clear();
    machine.handle(host, SeekMessage{1'234.5}, now_us, effects);
    checksum += effects.size();
  }
  void encode() {
    encoded.clear();
    encode_state(encoded, machine.state());
    checksum += encoded.size();
  }
  void make() { checksum += make_frame(WebSocketOpcode::text, encoded).size(); }
};

struct Step {
  const char* name;
  const char* what;
  void (Path::*run)();
};

constexpr std::array steps{
    Step{"unframe", "WebSocketDecoder, a masked frame", &Path::unframe},
    Step{"decode", "decode_client_message", &Path::decode},
    Step{"decide", "SessionMachine::handle(seek)", &Path::decide},
    Step{"encode", "encode_state", &Path::encode},
    Step{"make", "make_frame", &Path::make},
};

double now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double median_ns(Path& path, const Step& step) {
  std::vector<double> samples;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const double began = now_ns();
    for (std::size_t i = 0; i < batch_messages; ++i)
      std::invoke(step.run, path);
    samples.push_back((now_ns() - began) / batch_messages);
  }
  std::ranges::nth_element(samples, samples.begin() + batches / 2);
  return samples[batches / 2];
}

void measure_all(bool json) {
  Path path;
  double sum = 0;
  std::string line;
  for (const Step& step : steps) {
    const double ns = median_ns(path, step);
    sum += ns;
    line += fmt::format(R"("{}Ns":{:.1f},)", step.name, ns);
    if (!json) fmt::print("{:8} {:7.0f} ns  {}\n", step.name, ns, step.what);
  }
  if (json) {
    fmt::print("{{{}\"allNs\":{:.1f}}}\n", line, sum);
  } else {
    fmt::print("{:8} {:7.0f} ns  once a command, whatever the number of members\n", "all", sum);
  }
  VS_ASSERT(path.checksum > 0);
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  bool json = false;
  std::string only;
  std::size_t messages = batch_messages;
  std::vector<std::string> names;
  for (const Step& step : steps)
    names.emplace_back(step.name);
  CLI::App app{"What our own code costs a command, from its frame to the frame for all members"};
  app.add_flag("--json", json, "one line of JSON instead of text");
  app.add_option("--step", only, "run this step alone, unmeasured")->check(CLI::IsMember(names));
  app.add_option("--messages", messages, "with --step: how many times");
  CLI11_PARSE(app, argc, argv);
  if (only.empty()) {
    measure_all(json);
    return 0;
  }
  Path path;
  const auto step = std::ranges::find(steps, only, &Step::name);
  for (std::size_t i = 0; i < messages; ++i)
    std::invoke(step->run, path);
  return 0;
}
