#include "storage/forms/form_words.h"

#include "core/base/assert.h"

namespace videosync {

namespace {

std::vector<std::string> stretch_verb(const Rendition& rendition, const WordsFor& with) {
  switch (rendition.kind) {
    case Rendition::Kind::copy:
      return {"video", "--plan", with.folder + "/plan/plan"};
    case Rendition::Kind::sound:
      return {"sound",
              "--track",
              std::to_string(rendition.track),
              "--channels",
              std::to_string(rendition.channels),
              "--end-ticks",
              std::to_string(with.end_ticks)};
    case Rendition::Kind::picture:
      return {"picture",
              "--height",
              std::to_string(rendition.height),
              "--threads",
              std::to_string(with.threads),
              "--end-ticks",
              std::to_string(with.end_ticks)};
    case Rendition::Kind::pictures:
      return {"pictures", "--track", std::to_string(rendition.track)};
    case Rendition::Kind::subtitles:
    case Rendition::Kind::beside:
      break;
  }
  VS_ASSERT(!"what is made in one go is no stretch");
  return {};
}

}  // namespace

std::vector<std::string> words_for(const FormJob& job, const WordsFor& with) {
  const std::string plan = with.folder + "/plan/plan";
  const std::string out = with.folder + "/" + job.folder();
  switch (job.kind) {
    case FormJob::Kind::describe:
      return {"describe", "--plan", plan};
    case FormJob::Kind::plan:
      return {"plan", "--plan", plan};
    case FormJob::Kind::subtitles:
      return {"subtitles", "--out", out};
    case FormJob::Kind::convert:
      return {"convert", "--out", out, "--lang", job.lang};
    case FormJob::Kind::stretch:
      break;
  }
  std::vector<std::string> words = stretch_verb(job.rendition, with);
  words.insert(words.end(), {"--out", out, "--from", std::to_string(job.from), "--count",
                             std::to_string(job.end - job.from)});
  return words;
}

}  // namespace videosync
