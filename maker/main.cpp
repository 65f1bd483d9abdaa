// videosync-media: what the server has a process of its own do with films. Its command line, and
// what becomes of a Fault: a line on standard error and a status. 1: the film's own; 2: the command
// line's; 3: there is no room for what is made, 5: it cannot be written for another reason; 4: the
// film cannot be read now.
//
// Made for the server, which reads standard output; of use by hand, too: --help tells.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>
#include <string>

#include "maker/describe.h"
#include "maker/film/film.h"
#include "maker/film/fragments.h"
#include "maker/film/plan.h"
#include "maker/forms/copy.h"
#include "maker/forms/picture.h"
#include "maker/forms/sound.h"
#include "maker/subtitles/subtitle_pictures.h"
#include "maker/subtitles/subtitles.h"

extern "C" {
#include <libavutil/log.h>
}

namespace {

using namespace videosync;

struct Orders {
  std::string input;
  std::string output;  // a folder, or a file
  std::string plan;
  std::string lang;
  Stretch stretch;
  SoundOrder sound;
  PictureOrder picture;
  std::int64_t film_end = 0;
  int parent = 0;
};

// However the parent goes, this process goes with it.
void end_with(int parent) {
  if (parent == 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) throw Fault("whoever wanted this has gone");
}

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
}

void save_plan(const Plan& plan, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  SegmentFolder(folder).save(path.substr(slash + 1), write_plan(plan));
}

void run_describe(const Orders& orders) {
  Film film(orders.input);
  const Survey found = survey(film);
  if (found.plan && !orders.plan.empty()) save_plan(*found.plan, orders.plan);
  say(describe(film, found));
}

void run_plan(const Orders& orders) {
  Film film(orders.input);
  std::int64_t film_end = 0;
  const Plan plan = plan_by_reading(film, film_end);
  save_plan(plan, orders.plan);
  say(fmt::format("{{\"durationMs\":{},\"segments\":{}}}", (film_end + 45) / 90, plan.cuts.size()));
}

void run_video(const Orders& orders) {
  const Plan plan = read_plan(orders.plan);
  Film film(orders.input);
  copy_picture(film, plan, orders.stretch, SegmentFolder(orders.output));
}

void run_sound(Orders& orders) {
  Film film(orders.input);
  orders.sound.film_end = orders.film_end;
  make_sound(film, orders.sound, orders.stretch, SegmentFolder(orders.output));
}

void run_picture(Orders& orders) {
  Film film(orders.input);
  orders.picture.film_end = orders.film_end;
  make_picture(film, orders.picture, orders.stretch, SegmentFolder(orders.output));
}

void run_subtitles(const Orders& orders) {
  Film film(orders.input);
  make_subtitles(film, SegmentFolder(orders.output));
}

void run_pictures(const Orders& orders) {
  Film film(orders.input);
  make_subtitle_pictures(film, orders.sound.track, orders.stretch, SegmentFolder(orders.output));
}

void run_convert(const Orders& orders) {
  const std::string text = convert_subtitles(orders.input, orders.lang);
  if (orders.output.empty()) {
    std::fputs(text.c_str(), stdout);
  } else {
    SegmentFolder(orders.output).save("text.vtt", text);
  }
}

// A picture that is in the file as such: of an album or a film's box.
void run_cover(const Orders& orders) {
  const Film film(orders.input);
  for (const AVStream* stream : film.all(AVMEDIA_TYPE_VIDEO)) {
    if ((stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) continue;
    const AVPacket& picture = stream->attached_pic;
    std::fwrite(picture.data, 1, static_cast<std::size_t>(picture.size), stdout);
    return;
  }
  throw Fault("the file has no cover");
}

CLI::App* add_verb(CLI::App& app, Orders& orders, const char* name, const char* help) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("input", orders.input, "The file")->required();
  verb->add_option("--parent", orders.parent, "End when this process does, our parent");
  return verb;
}

void add_stretch(CLI::App* verb, Orders& orders) {
  verb->add_option("--out", orders.output, "The folder for init.mp4 and NUMBER.m4s")->required();
  verb->add_option("--from", orders.stretch.from, "The first segment");
  verb->add_option("--count", orders.stretch.count, "How many; 0: init.mp4 alone");
}

void add_end(CLI::App* verb, Orders& orders) {
  verb->add_option("--end-ticks", orders.film_end, "The film's end, in 1/90000 s")->required();
}

void add_segment_verbs(CLI::App& app, Orders& orders) {
  CLI::App* video = add_verb(app, orders, "video", "Copies the picture into segments");
  video->add_option("--plan", orders.plan, "What describe or plan wrote")->required();
  add_stretch(video, orders);
  video->callback([&orders] {
    end_with(orders.parent);
    run_video(orders);
  });

  CLI::App* sound = add_verb(app, orders, "sound", "Makes AAC segments of a sound track");
  sound->add_option("--track", orders.sound.track, "Its index")->required();
  sound->add_option("--channels", orders.sound.channels, "2, or 6 for 5.1")
      ->check(CLI::IsMember({2, 6}));
  add_end(sound, orders);
  add_stretch(sound, orders);
  sound->callback([&orders] {
    end_with(orders.parent);
    run_sound(orders);
  });

  CLI::App* picture = add_verb(app, orders, "picture", "Makes H.264 segments of the picture");
  picture->add_option("--height", orders.picture.height_max, "It fits in 16:9 of this height");
  picture->add_option("--threads", orders.picture.threads, "For decoding and for encoding");
  add_end(picture, orders);
  add_stretch(picture, orders);
  picture->callback([&orders] {
    end_with(orders.parent);
    run_picture(orders);
  });
}

void add_verbs(CLI::App& app, Orders& orders) {
  CLI::App* look = add_verb(app, orders, "describe", "Tells the tracks of a film, as JSON");
  look->add_option("--plan", orders.plan, "Where to write how it may be cut, if the index tells");
  look->callback([&orders] {
    end_with(orders.parent);
    run_describe(orders);
  });

  CLI::App* plan = add_verb(app, orders, "plan", "Reads a film to its end, for how it may be cut");
  plan->add_option("--plan", orders.plan, "Where to write that")->required();
  plan->callback([&orders] {
    end_with(orders.parent);
    run_plan(orders);
  });

  add_segment_verbs(app, orders);

  CLI::App* subtitles = add_verb(app, orders, "subtitles", "Makes WebVTT of all text tracks");
  subtitles->add_option("--out", orders.output, "The folder for INDEX.vtt")->required();
  subtitles->callback([&orders] {
    end_with(orders.parent);
    run_subtitles(orders);
  });

  CLI::App* pictures =
      add_verb(app, orders, "pictures", "Makes JSON of subtitles that are pictures, by the minute");
  pictures->add_option("--track", orders.sound.track, "Its index")->required();
  pictures->add_option("--out", orders.output, "The folder for NUMBER.json")->required();
  pictures->add_option("--from", orders.stretch.from, "The first minute");
  pictures->add_option("--count", orders.stretch.count, "How many");
  pictures->callback([&orders] {
    end_with(orders.parent);
    run_pictures(orders);
  });

  CLI::App* convert = add_verb(app, orders, "convert", "Makes WebVTT of a file of subtitles");
  convert->add_option("--lang", orders.lang, "Its language (ru), which tells old charsets apart");
  convert->add_option("--out", orders.output, "The folder for text.vtt; else: standard output");
  convert->callback([&orders] {
    end_with(orders.parent);
    run_convert(orders);
  });

  CLI::App* cover = add_verb(app, orders, "cover", "Writes the film's embedded picture");
  cover->callback([&orders] {
    end_with(orders.parent);
    run_cover(orders);
  });
}

int fail(int status, const char* why) {
  std::fprintf(stderr, "%s\n", why);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  av_log_set_level(AV_LOG_QUIET);
  // So that writing fails, and says why.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  Orders orders;
  CLI::App app("Looks into films, and makes of them what browsers play.", "videosync-media");
  app.require_subcommand(1);
  add_verbs(app, orders);
  try {
    app.parse(argc, argv);
    flush_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const OutputFault& error) {
    return fail(error.is_for_want_of_room ? 3 : 5, error.what());
  } catch (const SourceFault& error) {
    return fail(4, error.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "there is not enough memory for it");
  } catch (const std::exception& error) {
    return fail(1, error.what());
  }
}
