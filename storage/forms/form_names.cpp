#include "storage/forms/form_names.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::array<int, 3> heights{480, 720, 1'080};
constexpr std::size_t segments_max = 1'000'000;

std::optional<std::uint16_t> parse_track(std::string_view text) {
  const auto track = parse_decimal<std::uint16_t>(text);
  return track && text == std::to_string(*track) ? track : std::nullopt;
}

std::optional<Rendition> parse_rendition(std::string_view folder) {
  if (folder == "copy") return Rendition{};
  for (const int height : heights) {
    if (folder != fmt::format("{}p", height)) continue;
    return Rendition{.kind = Rendition::Kind::picture, .height = height};
  }
  constexpr std::string_view pictures = "pictures-";
  if (folder.starts_with(pictures)) {
    const auto track = parse_track(folder.substr(pictures.size()));
    if (!track) return std::nullopt;
    return Rendition{.kind = Rendition::Kind::pictures, .track = *track};
  }
  constexpr std::string_view sound = "sound-";
  if (!folder.starts_with(sound)) return std::nullopt;
  folder.remove_prefix(sound.size());
  const bool is_surround = folder.ends_with("-6");
  if (is_surround) folder.remove_suffix(2);
  const auto track = parse_track(folder);
  if (!track) return std::nullopt;
  return Rendition{
      .kind = Rendition::Kind::sound, .track = *track, .channels = is_surround ? 6 : 2};
}

std::optional<FormFile> parse_captions(std::string_view file) {
  if (!file.ends_with(".vtt")) return std::nullopt;
  file.remove_suffix(4);
  const auto track = parse_track(file);
  if (!track) return std::nullopt;
  return FormFile{.kind = FormFile::Kind::captions,
                  .rendition = {.kind = Rendition::Kind::subtitles},
                  .track = *track};
}

std::string_view ending_of(const Rendition& rendition) {
  return rendition.kind == Rendition::Kind::pictures ? ".json" : ".m4s";
}

}  // namespace

std::string Rendition::folder() const {
  if (kind == Kind::copy) return "copy";
  if (kind == Kind::picture) return fmt::format("{}p", height);
  if (kind == Kind::subtitles) return "subtitles";
  if (kind == Kind::beside) return "captions";
  if (kind == Kind::pictures) return fmt::format("pictures-{}", track);
  return channels == 2 ? fmt::format("sound-{}", track) : fmt::format("sound-{}-6", track);
}

std::string FormFile::name() const {
  if (kind == Kind::init) return "init.mp4";
  if (kind == Kind::captions) return fmt::format("{}.vtt", track);
  if (kind == Kind::beside) return "text.vtt";
  return fmt::format("{}{}", segment, ending_of(rendition));
}

FormFile captions_beside(std::string lang) {
  return {.kind = FormFile::Kind::beside,
          .rendition = {.kind = Rendition::Kind::beside},
          .lang = std::move(lang)};
}

std::optional<FormFile> parse_form_file(std::string_view name) {
  if (name == "film.json") return FormFile{};
  if (name == "copy.m3u8") return FormFile{.kind = FormFile::Kind::copy};
  if (name == "transcode.m3u8") return FormFile{.kind = FormFile::Kind::transcode};
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view file = name.substr(slash + 1);
  if (name.substr(0, slash) == "subtitles") return parse_captions(file);
  const auto rendition = parse_rendition(name.substr(0, slash));
  if (!rendition) return std::nullopt;
  FormFile form{.kind = FormFile::Kind::playlist, .rendition = *rendition};
  const bool is_stream = rendition->kind != Rendition::Kind::pictures;
  if (is_stream && file == "index.m3u8") return form;
  form.kind = FormFile::Kind::init;
  if (is_stream && file == "init.mp4") return form;
  const std::string_view ending = ending_of(*rendition);
  if (!file.ends_with(ending)) return std::nullopt;
  file.remove_suffix(ending.size());
  const auto segment = parse_decimal<std::size_t>(file);
  if (!segment || *segment >= segments_max || file != std::to_string(*segment)) return std::nullopt;
  form.kind = FormFile::Kind::segment;
  form.segment = *segment;
  return form;
}

}  // namespace videosync
