#include "storage/forms/form_film.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace videosync {

namespace {

constexpr std::string_view whole_film = "film";

}  // namespace

std::string FormFilm::part_of(const FormJob& job) {
  if (job.kind == FormJob::Kind::describe) return std::string(whole_film);
  if (job.kind == FormJob::Kind::plan) return "copy";
  return job.rendition.folder();
}

const std::string* FormFilm::fault_of(const std::string& part) const {
  const auto found = faults_.find(part);
  return found == faults_.end() ? nullptr : &found->second;
}

const std::string* FormFilm::fault() const {
  return fault_of(std::string(whole_film));
}

void FormFilm::look_into(FormCache& cache, const std::string& key, std::int64_t now_ms) {
  if (std::exchange(has_looked_, true)) return;
  const std::string kept = cache.read(key + "/plan/faults", now_ms);
  for (std::string_view faults = kept; !faults.empty();) {
    const std::string_view line = faults.substr(0, faults.find('\n'));
    faults.remove_prefix(std::min(faults.size(), line.size() + 1));
    const std::size_t tab = line.find('\t');
    if (tab != line.npos) faults_.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  facts_ = parse_film_facts(cache.read(key + "/plan/facts.json", now_ms));
  if (!facts_) return;
  if (const std::string read = cache.read(key + "/plan/read.json", now_ms); !read.empty()) {
    add_read_facts(read, *facts_);
  }
  plan_ = parse_film_plan(cache.read(key + "/plan/plan", now_ms));
}

const char* FormFilm::learn(const FormJob& job, const std::string& json, FormCache& cache,
                            std::int64_t now_ms) {
  crashes_.erase(part_of(job));
  if (job.kind == FormJob::Kind::describe) {
    facts_ = parse_film_facts(json);
    if (!facts_) return "what it says is not understood";
    cache.write(job.film + "/plan/facts.json", json, now_ms);
  }
  if (job.kind == FormJob::Kind::plan) {
    if (!facts_ || !add_read_facts(json, *facts_)) return "its end cannot be found";
    cache.write(job.film + "/plan/read.json", json, now_ms);
  }
  if (!plan_) plan_ = parse_film_plan(cache.read(job.film + "/plan/plan", now_ms));
  const bool lacks_plan = job.kind == FormJob::Kind::plan && !plan_;
  return lacks_plan ? "where it may be cut cannot be found" : nullptr;
}

void FormFilm::mark(const std::string& part, std::string why) {
  // Without an end no form has a playlist.
  if (part == "copy" && facts_ && !knows_end()) faults_[std::string(whole_film)] = why;
  faults_[part] = std::move(why);
}

void FormFilm::keep_faults(const std::string& key, FormCache& cache, std::int64_t now_ms) const {
  std::string text;
  for (const auto& [name, reason] : faults_)
    text += fmt::format("{}\t{}\n", name, reason);
  cache.write(key + "/plan/faults", text, now_ms);
}

}  // namespace videosync
