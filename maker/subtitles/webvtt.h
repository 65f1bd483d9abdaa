// WebVTT of ASS events, which is what libavcodec makes of every kind of text subtitles.
//
// Kept are, of styles and of overrides: lines, italics, bold, underlining, the eight colours that
// WebVTT names, and where on the picture it stands (\an, \pos, \move's begin). The rest of ASS
// WebVTT has no words for; what is drawn is dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace videosync {

// What an ASS header says, as far as it matters here.
struct AssStyles {
  double width = 384;  // of the grid that positions are on
  double height = 288;
  struct Style {
    int alignment = 2;  // as on a keypad: bottom centre
    bool is_bold = false;
    bool is_italic = false;
    bool is_underlined = false;
    std::string colour{};  // its class in WebVTT; "": white
  };
  std::map<std::string, Style, std::less<>> styles;  // by name

  static AssStyles of(std::string_view header);
};

class WebVtt {
 public:
  explicit WebVtt(AssStyles styles) : styles_(std::move(styles)) {}
  WebVtt(const WebVtt&) = delete;
  WebVtt& operator=(const WebVtt&) = delete;

  // An event as libavcodec gives it: "order,layer,style,name,left,right,vertical,effect,text".
  // Times in ms of film time; what is over before 0 is left out.
  void add(std::int64_t from_ms, std::int64_t to_ms, std::string_view event);
  // The whole file, in the order of time.
  std::string text() const;

 private:
  AssStyles styles_;
  std::set<std::string> known_;                         // all cues
  std::multimap<std::int64_t, std::string_view> cues_;  // these, by their begin
};

}  // namespace videosync
