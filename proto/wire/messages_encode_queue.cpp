// The queue, which may be long: see encode_queue() in messages.h.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "proto/wire/json_format.h"
#include "proto/wire/messages.h"

namespace videosync {

namespace {

constexpr std::size_t cut_title_bytes = 48;
constexpr std::size_t cut_name_bytes = 24;

// No more than so many bytes of it, and no part of a character.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

std::string encode_item(const QueueItem& item, std::string_view title, bool is_cut) {
  if (is_cut) title = cut(title, cut_title_bytes);
  std::string out;
  append_json(out, R"({{"item":"q{}","video":{},"title":{},"by":)", item.id.value,
              Quoted{item.video.id}, Quoted{title});
  if (!item.by) return out + "null}";
  const std::string_view name = is_cut ? cut(item.by_name, cut_name_bytes) : item.by_name;
  append_json(out, R"({{"id":{},"name":{}}}}})", Id{item.by}, Quoted{name});
  return out;
}

std::vector<std::string> encode_items(const QueueView& view, bool is_cut) {
  std::vector<std::string> items;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < view.titles.size(); ++i) {
    items.push_back(encode_item(view.queue.items()[i], view.titles[i], is_cut));
    bytes += items.back().size() + 1;
    if (bytes <= queue_told_bytes_max) continue;
    if (!is_cut) return encode_items(view, true);
    items.pop_back();
    break;
  }
  return items;
}

}  // namespace

std::vector<std::string> encode_queue(const QueueView& view) {
  VS_ASSERT(view.titles.size() == view.queue.items().size());
  const std::vector<std::string> items = encode_items(view, false);
  std::vector<std::string> messages;
  std::size_t next = 0;
  do {
    std::string& out = messages.emplace_back();
    append_json(out, R"({{"type":"queue","epoch":{},"version":{})", view.epoch,
                view.queue.version());
    if (next > 0) append_json(out, R"(,"from":{})", next);
    out += R"(,"list":[)";
    const std::size_t empty_size = out.size();
    for (bool is_first = true; next < items.size(); ++next, is_first = false) {
      const std::size_t size = out.size() - empty_size + items[next].size() + 1;
      if (!is_first && size > list_message_bytes_max) break;
      if (!is_first) out += ',';
      out += items[next];
    }
    out += "]}";
  } while (next < items.size());
  return messages;
}

}  // namespace videosync
