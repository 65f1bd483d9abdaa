#include "storage/films/notes_book.h"

#include <span>
#include <utility>
#include <vector>

#include "storage/files/file_desk.h"

namespace videosync {

FilmNotes NotesBook::notes_of(const LibraryFile& file) const {
  if (!file) return {};
  const auto found = known_.find(file.version());
  return found != known_.end() ? found->second : FilmNotes{};
}

std::shared_ptr<const MediaLibrary> NotesBook::recall(
    const std::shared_ptr<const MediaLibrary>& library) const {
  const std::span<const VideoEntry> videos = library->videos();
  std::vector<std::pair<std::size_t, FilmName>> changed;
  for (std::size_t i = 0; i < videos.size(); ++i) {
    const VideoEntry& video = videos[i];
    if (!video.notes && !video.show_notes) continue;
    FilmName name = named_by(notes_of(video.notes), notes_of(video.show_notes), video.film);
    if (name != video.film) changed.emplace_back(i, std::move(name));
  }
  return changed.empty() ? library : library->with_names(std::move(changed));
}

bool NotesBook::read_next(const std::shared_ptr<const MediaLibrary>& library,
                          const BreakOff& stop) {
  if (read_of_.lock() != library) {
    read_of_ = library;
    next_ = 0;
    forget_others(*library);
  }
  for (const std::span<const VideoEntry> videos = library->videos(); next_ < 2 * videos.size();) {
    const VideoEntry& video = videos[next_ / 2];
    const LibraryFile& file = next_ % 2 == 0 ? video.notes : video.show_notes;
    ++next_;
    if (!file || known_.contains(file.version())) continue;
    if (!stop.is_due()) {
      const auto bytes = desk_.read(file.folder, file.path);
      if (bytes) known_.emplace(file.version(), parse_film_notes(*bytes));
      if (bytes || bytes.error().code != ErrorCode::timed_out) return true;
    }
    --next_;
    return false;
  }
  return false;
}

// What is away may come back: a drive, a folder that was renamed. But not for ever.
void NotesBook::forget_others(const MediaLibrary& library) {
  constexpr std::size_t others_max = 10'000;
  if (known_.size() <= 2 * library.videos().size() + others_max) return;
  Known known;
  for (const VideoEntry& video : library.videos()) {
    for (const LibraryFile* file : {&video.notes, &video.show_notes}) {
      if (!*file) continue;
      if (auto found = known_.extract(file->version())) known.insert(std::move(found));
    }
  }
  known_ = std::move(known);
}

}  // namespace videosync
