// When the pictures of a segment are decoded: as evenly as can be, and none after it is shown.
//
// What a container says of that does not hold here: a film begins at 0, and the pictures that wait
// for later ones would have to be decoded before. Players that take times of decoding for truth
// move all that is shown too early: GStreamer's moved every picture of a film with B-frames by 80
// ms, and left the sound.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace videosync {

// `shown`: film time of each picture, in the order of decoding, the first one's the least or nearly
// so. `end`: where the next segment begins. Returns one time more than there are pictures: the last
// is `end`, and so the length of each is the distance to the next. They rise strictly from the
// first one's time; where ticks do not suffice for that, some lie a tick or so behind what is
// shown.
std::vector<std::int64_t> decoding_times(std::span<const std::int64_t> shown, std::int64_t end);

}  // namespace videosync
