// Faults of the loop, for kernel_sim_planted: what each breaks is in words here, and how it shows
// is for the simulated kernel to say.
#include <array>

#include "tests/sim/planted/faults.h"

namespace videosync::sim {

namespace {

using enum PlantedFault::Kind;

constexpr std::string_view stream = "core/reactor/tcp_stream.cpp";
constexpr std::string_view queue = "core/reactor/output_queue.cpp";
constexpr std::string_view pump = "core/reactor/file_pump.cpp";
constexpr std::string_view mailbox = "core/reactor/mailbox.cpp";
constexpr std::string_view listener = "core/reactor/listener.cpp";
constexpr std::string_view loop = "core/reactor/reactor.cpp";
constexpr std::string_view ring = "core/reactor/ring.cpp";

constexpr std::array faults{
    PlantedFault{"closed-early", "a descriptor is closed before its operations have completed",
                 "descriptor", stream, statement, "owner_.on_closed(reason);",
                 "descriptor_.reset(); owner_.on_closed(reason);"},
    PlantedFault{"not-shut", "closing wakes no operation", "stuck", stream, statement,
                 "kernel::shut_down(descriptor_.get(), SHUT_RDWR);", ""},
    PlantedFault{"output-unmarked", "a stream is retired while its output is in flight",
                 "assertion", stream, expression,
                 "if (is_receive_armed_ || «output_ != Output::idle» || is_linked()) return;",
                 "false"},
    PlantedFault{"receive-unmarked", "a stream is retired while its receive is armed", "assertion",
                 stream, expression,
                 "if («is_receive_armed_» || output_ != Output::idle || is_linked()) return;",
                 "false"},
    PlantedFault{"receive-forgotten", "a receive that has ended counts as armed", "stuck", stream,
                 statement, "if (!completion.more) is_receive_armed_ = false;", ""},
    PlantedFault{"short-send-lost", "a short send counts as a whole one", "bytes", stream,
                 expression, "queue_.consume(reactor_.segments(), «sent»);",
                 "queue_.queued_bytes()"},
    PlantedFault{"not-continued", "after a send nobody sends the rest", "stuck", stream, statement,
                 "queue_.consume(reactor_.segments(), sent);\n  if (queue_.empty()) {\n    "
                 "owner_.on_output_empty();\n  } else {\n    «schedule_output();»",
                 ""},
    PlantedFault{"polled-at-once",
                 "who waits for the room of a peer that sends no more polls again", "spins", stream,
                 statement, "reactor_.pump_when_room(*this);", "schedule_output();"},
    PlantedFault{"send-left", "a send goes on waiting for a peer that sends no more", "worker",
                 stream, statement,
                 "if (output_ == Output::sending) reactor_.ring().cancel(output_operation());", ""},
    PlantedFault{"buffer-twice", "a receive buffer is given back twice", "buffer", stream,
                 statement, "reactor_.buffers().give_back(completion.buffer_id);",
                 "reactor_.buffers().give_back(completion.buffer_id); "
                 "reactor_.buffers().give_back(completion.buffer_id);"},
    PlantedFault{"buffer-kept", "a receive buffer of a closing stream is not given back", "buffer",
                 stream, expression, "if («completion.has_buffer») {",
                 "completion.has_buffer && state_ == State::open"},
    PlantedFault{"no-buffers", "who found no buffer asks no more", "stuck", stream, expression,
                 "«state_ == State::open && wants_input_ && !is_receive_armed_» && "
                 "!has_input_ended_",
                 "state_ == State::open && wants_input_ && !is_receive_armed_ && "
                 "completion.result != -ENOBUFS"},
    PlantedFault{"resumed-twice", "input is resumed while its cancellation is on the way",
                 "assertion", stream, expression,
                 "if («!is_receive_armed_» && !has_input_ended_) arm_receive();", "true"},
    PlantedFault{"end-forgotten", "the peer's end is asked for again", "spins or bytes", stream,
                 statement, "has_input_ended_ = true;", ""},
    PlantedFault{"reset-ignored", "a receive that failed is armed again", "spins", stream,
                 expression, "else if («completion.result < 0 && !was_cancelled») {", "false"},
    PlantedFault{"pipe-presumed", "a pipe is thought to hold what was asked for", "stuck", stream,
                 expression, "pipe.held_bytes = «completion.result»;",
                 "static_cast<std::int32_t>(std::min<std::int64_t>("
                 "queue_.front_file()->range.length, FilePump::quantum_bytes))"},
    PlantedFault{"room-unmarked", "a stream that waits for room counts as idle", "assertion",
                 stream, statement, "output_ = Output::awaiting_room;", ""},
    PlantedFault{
        "lent-again", "a send reads from memory that the next send fills", "lent", stream,
        expression, "const auto* data = «static_cast<const std::uint8_t*>(vectors[0].iov_base)»;",
        "[&]() noexcept { static std::uint8_t copy[1 << 20]; std::copy_n(static_cast<const "
        "std::uint8_t*>(vectors[0].iov_base), std::min(vectors[0].iov_len, sizeof copy), "
        "copy); return static_cast<const std::uint8_t*>(copy); }()"},
    PlantedFault{"flight-cleared", "closing frees what the kernel is sending", "assertion", queue,
                 expression, "clear_from(«in_flight_», pool);\n}\n\n}  // namespace videosync",
                 "0"},
    PlantedFault{"flight-unmarked", "what is being sent may be replaced", "bytes", queue, statement,
                 "if (keep_in_flight) in_flight_ = static_cast<std::uint8_t>(count);", ""},
    PlantedFault{"flight-dropped", "dropping a class frees what the kernel is sending", "bytes",
                 queue, expression,
                 "OutputSegment* next = segment->next;\n    const bool is_free = «place >= "
                 "in_flight_» && is_untouched(*segment);",
                 "true"},
    PlantedFault{"half-dropped", "a frame is dropped of which a part has left", "bytes", queue,
                 expression,
                 "OutputSegment* next = segment->next;\n    const bool is_free = place >= "
                 "in_flight_ && «is_untouched(*segment)»;",
                 "true"},
    PlantedFault{"file-again", "a file range does not move on", "bytes", queue, statement,
                 "range.offset += bytes;", ""},
    PlantedFault{"dirty-pipe", "a pipe with bytes in it goes to the next file", "bytes", pump,
                 expression, "if («pipe.held_bytes == 0») idle_pipes_", "true"},
    PlantedFault{"pipe-not-tried", "who found no pipe is not tried again", "stuck", loop, statement,
                 "if (!pipe_waiters_.empty() && !file_pump_.has_lent_pipes()) pipe_returned();",
                 ""},
    PlantedFault{"scratch-short", "vectors are filled anew before they are submitted",
                 "bytes or assertion", loop, expression,
                 "(scratch_next_ + 1) % «scratch_messages_max»;", "std::size_t{2}"},
    PlantedFault{"wake-lost", "a wake-up that failed is not tried again", "stuck", mailbox,
                 statement, "failed.has_news = true;", ""},
    PlantedFault{
        "wake-pending", "a mailbox is woken once and never again", "stuck", mailbox, statement,
        "// Cleared first: what is published after this line brings a wake-up of its own.\n"
        "  «is_wake_pending_.store(false, std::memory_order_seq_cst);»",
        ""},
    PlantedFault{"accept-forgotten", "an accept that has ended counts as armed", "stuck", listener,
                 statement, "if (!completion.more) is_armed_ = false;", ""},
    PlantedFault{"no-rest-end", "who rests for want of descriptors rests for ever", "stuck",
                 listener, statement,
                 "reactor_.timers().schedule(rest_, reactor_.now_ms() + rest_ms);", ""},
    PlantedFault{"completions-dropped", "completions that make room in the queue are lost", "stuck",
                 ring, statement, "take_completions(kernel::ring_ready(*ring), taken);",
                 "kernel::ring_take(*ring, kernel::ring_ready(*ring));"},
};

}  // namespace

std::size_t planted = 0;

std::span<const PlantedFault> planted_faults() noexcept {
  return faults;
}

}  // namespace videosync::sim
