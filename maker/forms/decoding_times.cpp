#include "maker/forms/decoding_times.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

struct Point {
  std::int64_t x;  // the picture's place
  std::int64_t y;  // a time that its decoding must not exceed
};

// Whether `b` lies on or above the line from `a` to `c`.
bool is_above(Point a, Point b, Point c) {
  return (b.y - a.y) * (c.x - a.x) >= (c.y - a.y) * (b.x - a.x);
}

// The lower hull: nothing between its corners needs to be decoded earlier than on the line between
// them.
std::vector<Point> hull_of(std::span<const std::int64_t> shown, std::int64_t end) {
  const auto count = static_cast<std::int64_t>(shown.size());
  std::vector<Point> limits(shown.size() + 1);
  limits[shown.size()] = {count, std::max(end, *std::ranges::max_element(shown) + 1)};
  for (std::size_t i = shown.size(); i-- > 0;)
    limits[i] = {static_cast<std::int64_t>(i), std::min(shown[i], limits[i + 1].y)};
  limits[0].y = shown[0];
  std::vector<Point> corners;
  for (const Point& next : limits) {
    while (corners.size() >= 2 && is_above(corners[corners.size() - 2], corners.back(), next))
      corners.pop_back();
    corners.push_back(next);
  }
  return corners;
}

}  // namespace

std::vector<std::int64_t> decoding_times(std::span<const std::int64_t> shown, std::int64_t end) {
  VS_ASSERT(!shown.empty());
  const std::vector<Point> corners = hull_of(shown, end);
  VS_ASSERT(corners.size() >= 2);
  std::vector<std::int64_t> times{shown[0]};
  std::size_t corner = 1;
  for (std::int64_t x = 1; x <= corners.back().x; ++x) {
    if (x > corners[corner].x) ++corner;
    const auto [from, to] = std::pair(corners[corner - 1], corners[corner]);
    const std::int64_t on_line = from.y + (to.y - from.y) * (x - from.x) / (to.x - from.x);
    times.push_back(std::max(on_line, times.back() + 1));
  }
  return times;
}

}  // namespace videosync
