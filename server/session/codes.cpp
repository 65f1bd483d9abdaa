// The short code of a session: drawn with it, found, and told to whoever belongs to it. Where it is
// kept is the store's affair: see SessionStore.
#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "server/digest.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr int draws_max = 64;

}  // namespace

// --- Making --------------------------------------------------------------------------------------

ShortCode Impl::draw_code() noexcept {
  std::array<std::uint8_t, 5> bytes;
  ShortCode code;
  // One whose part of the store is there, if that can be had.
  for (int draws = 0; !code || (presence_.is_apart(code) && draws < draws_max); ++draws) {
    ports_.around.fill_random(bytes);
    code = ShortCode::of_random(bytes);
  }
  VS_ASSERT(code);
  VS_ASSERT(code.value <= ShortCode::value_max);
  return code;
}

// A code that another session has already: another one is drawn.
void Impl::store_new(const Uuid& key, NewSession made) noexcept {
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(made.machine != nullptr);
  made.machine->adopt_code(draw_code());
  static constexpr StoreVersion first{1, 1};
  const SessionName name{key, made.machine->code()};
  const std::string bytes =
      encode(StoredSession{.home = {}, .heard = {}, .record = made.machine->record()});
  ports_.store.create(
      name, first, BufferRef::copy_of(bytes), store_ttl_us(),
      answered([this, key, made = std::move(made)](const Result<>& stored) mutable noexcept {
        const bool is_taken = !stored && stored.error().code == ErrorCode::conflict;
        if (is_taken && made.draws_left-- > 0) return store_new(key, std::move(made));
        if (!stored) return answer(made.from, fault_of(stored.error()));
        ports_.metrics.count(Counter::sessions_created);
        answer(made.from, SessionCreated{key, made.host_token, made.machine->code()});
        // Where others share the store, the first member decides which node is its home.
        if (!is_alone()) return;
        auto& residence = residences_[key];
        VS_ASSERT(!residence);
        residence = std::make_unique<Residence>(key, &Impl::on_residence_timer, this);
        adopt(*residence, std::move(made.machine), first);
        arm_timer(*residence);
      }));
}

// --- Finding -------------------------------------------------------------------------------------

// The store may know a code longer than its session is valid, never shorter, unless it has lost it.
void Impl::validate_code(ShortCode code, ConnectionRef from) noexcept {
  VS_ASSERT(code);
  VS_ASSERT(depth_ > 0);
  ports_.store.find(code, answered<Uuid>([this, code, from](const Result<Uuid>& key) noexcept {
                      const bool is_unknown = !key && key.error().code == ErrorCode::not_found &&
                                              !may_be_written_back(slot_of(code));
                      if (is_unknown) return answer(from, SessionValidity{});
                      if (!key) return answer(from, SessionFault::unavailable);
                      const std::size_t owner = worker_of(*key, ports_.workers);
                      SessionDirectory* directory = &ports_.around.directory_of(owner);
                      ports_.around.post(owner, [directory, key = *key, from]() noexcept {
                        directory->on_validate(key, from);
                      });
                    }));
}

// --- Telling -------------------------------------------------------------------------------------

void Impl::answer_info(const Residence& residence, const SessionProof& proof,
                       ConnectionRef from) noexcept {
  SessionInfo info = info_of(residence);
  if (!std::holds_alternative<std::monostate>(proof))
    tell_more(info, proof, residence.at_home().machine->record());
  answer(from, std::move(info));
}

void Impl::tell_more(SessionInfo& info, const SessionProof& proof,
                     const SessionRecord& record) noexcept {
  VS_ASSERT(!info.code);
  VS_ASSERT(record.next_member_id > 0);
  const auto* host = std::get_if<Token>(&proof);
  const auto* resume = std::get_if<ResumeToken>(&proof);
  const bool is_proven = (host != nullptr && record.host_token.equals(*host)) ||
                         (resume != nullptr &&
                          resume_secret(record.resume_key, resume->member).equals(resume->secret));
  if (is_proven) info.code = record.code;
  info.is_host = host != nullptr && is_proven;
  const auto* browser = std::get_if<BrowserId>(&proof);
  info.is_removed = browser != nullptr && std::ranges::find(record.removed_browsers, *browser) !=
                                              record.removed_browsers.end();
}

// Homes do not tell that: whether who asks may know the code, and what it is, or whether it has
// been removed, the record says.
void Impl::pass_info(SessionInfo info, const SessionProof& proof, ConnectionRef from) noexcept {
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(!is_alone());
  if (std::holds_alternative<std::monostate>(proof)) return answer(from, std::move(info));
  const Uuid key = info.key;
  ports_.store.load(
      key, answered<StoredValue>([this, info = std::move(info), proof,
                                  from](const Result<StoredValue>& value) mutable noexcept {
        if (value) {
          if (const auto stored = decode_stored_session(value->bytes.text()))
            tell_more(info, proof, stored->record);
        }
        answer(from, std::move(info));
      }));
}

}  // namespace videosync
