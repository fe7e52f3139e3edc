// Products of the patches around all pixels of an image, by correlations: what two elements of a
// patch multiply to depends on how far they are apart, but for a few rows and columns at the ends.
// So 27 elements of three colours need 117 sums instead of 378, and no patch is ever written.
//
// An element's window is the image shifted by its place in the patch. Rows are in groups: each of
// the first and of the last `reach` rows by itself, all others together; columns likewise. The
// window of place u is groups u .. u + reach.
#pragma once

#include "kernels/convolution.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

constexpr int kShifts = 5;  // correlations that are summed together, a pixel apart
constexpr int kMostReach = 8, kMostSpans = 2 * kMostReach + 1;

// Sums by group of rows and of columns.
using Spans = int64_t[kMostSpans][kMostSpans];

// The colours of an image, each a plane.
struct Planes {
  const int16_t* first;
  int height, width, reach;  // of the image without what patches need around it
  ptrdiff_t pitch, plane;

  int rows() const { return height + reach; }
  int columns() const { return width + reach; }
  GDQ_INLINE const int16_t* row(int colour, int y) const {
    return first + colour * plane + y * pitch;
  }
  GDQ_INLINE int span(int index, int size) const {
    return index < reach ? index : index < size ? reach : index - size + reach + 1;
  }
};

// planes: colours x rows x pitch, written.
inline void split_colours(const PatchProducts& job, Planes& planes, int16_t* to) {
  planes.reach = job.kernel - 1;
  planes.height = job.rows;
  planes.width = job.columns;
  planes.pitch = correlation_pitch(planes.columns());
  planes.plane = planes.pitch * planes.rows();
  planes.first = to + kPlaneMargin;
  __builtin_memset(to, 0, correlation_scratch(job.channels, planes.rows(), planes.columns()));
  for (int c = 0; c < job.channels; c++)
    for (int y = 0; y < planes.rows(); y++) {
      int16_t* row = to + kPlaneMargin + c * planes.plane + y * planes.pitch;
      const int16_t* from = job.image + y * job.pitch + c;
      for (int x = 0; x < planes.columns(); x++) row[x] = from[x * job.channels];
    }
}

// Adds, for kShifts shifts from `first` on, the products of rows y .. y + count of colour a with
// those that lie dy below of colour b, in the columns that are summed together.
inline void correlate_inside(const Planes& planes, int a, int b, int dy, int first, int y,
                             int count, int64_t* sums) {
  using V = Isa::I16;
  constexpr int kStep = sizeof(V) / sizeof(int16_t);
  const int begin = planes.reach, end = planes.width;
  // Each lane takes up to two products of at most 2^14 a step.
  const int steps = (end - begin + kStep - 1) / kStep, rows = steps < 32768 ? 65535 / steps : 1;
  V last{};  // ones where the last step still lies inside
  for (int i = 0; i < kStep; i++) last[i] = begin + (steps - 1) * kStep + i < end ? -1 : 0;
  for (int top = y; top < y + count; top += rows) {
    const int bottom = top + rows < y + count ? top + rows : y + count;
    Isa::I32 acc[kShifts]{};
    for (int row = top; row < bottom; row++) {
      const int16_t* from = planes.row(a, row) + begin;
      const int16_t* with = planes.row(b, row + dy) + begin + first;
      for (int i = 0; i < steps; i++, from += kStep, with += kStep) {
        V x = load<V>(from);
        if (i == steps - 1) x = x & last;
        unroll<kShifts>([&](auto s)
                            GDQ_ALWAYS { acc[s] = Isa::dot_pairs(acc[s], x, load<V>(with + s)); });
      }
    }
    for (int s = 0; s < kShifts; s++)
      for (int lane = 0; lane < Isa::kLanes; lane++) sums[s] += acc[s][lane];
  }
}

// The same of the first and last `reach` columns, each by itself: (columns, kShifts).
inline void correlate_ends(const Planes& planes, int a, int b, int dy, int first, int y,
                           int64_t (*sums)[kShifts]) {
  const int16_t *from = planes.row(a, y), *with = planes.row(b, y + dy) + first;
  for (int i = 0; i < 2 * planes.reach; i++) {
    const int x = i < planes.reach ? i : planes.width + i - planes.reach;
    for (int s = 0; s < kShifts; s++) sums[i][s] += (int32_t)from[x] * with[x + s];
  }
}

// spans[shift]: the sums of each, by groups of rows and columns.
inline void correlate(const Planes& planes, int a, int b, int dy, int first, Spans* spans) {
  const int reach = planes.reach, last = planes.rows() - dy;
  for (int y = 0; y < last;) {
    const int span = planes.span(y, planes.height);
    const int count = span == reach ? planes.height - reach : 1;
    int64_t inside[kShifts]{}, ends[2 * kMostReach][kShifts]{};
    correlate_inside(planes, a, b, dy, first, y, count, inside);
    for (int i = 0; i < count; i++) correlate_ends(planes, a, b, dy, first, y + i, ends);
    for (int s = 0; s < kShifts; s++) {
      spans[s][span][reach] = inside[s];
      for (int i = 0; i < 2 * reach; i++) spans[s][span][i < reach ? i : i + 1] = ends[i][s];
    }
    y += count;
  }
}

// The sum over the window of the place (row, column) in a patch.
GDQ_INLINE int64_t window_sum(const Spans& spans, int reach, int row, int column) {
  int64_t sum = 0;
  for (int y = row; y <= row + reach; y++)
    for (int x = column; x <= column + reach; x++) sum += spans[y][x];
  return sum;
}

// Adds the products of all pairs of elements that lie (dy, dx) apart.
inline void add_windows(const PatchProducts& job, const Spans& spans, int a, int b, int dy,
                        int dx) {
  const auto component = [&](int row, int column, int colour) {
    return 1 + (row * job.kernel + column) * job.channels + colour;
  };
  for (int row = 0; row + dy < job.kernel; row++)
    for (int column = dx < 0 ? -dx : 0; column < job.kernel && column + dx < job.kernel; column++)
      job.sums[(ptrdiff_t)component(row, column, a) * job.components +
               component(row + dy, column + dx, b)] +=
          window_sum(spans, job.kernel - 1, row, column);
}

// The products of all elements with the 1 in front of each patch, and of that with itself.
inline void add_means(const PatchProducts& job, const Planes& planes) {
  job.sums[0] += (int64_t)job.rows * job.columns;
  for (int colour = 0; colour < job.channels; colour++) {
    Spans spans{};
    for (int y = 0; y < planes.rows(); y++) {
      const int16_t* row = planes.row(colour, y);
      int64_t* sums = spans[planes.span(y, planes.height)];
      int32_t inside = 0;
      for (int x = planes.reach; x < planes.width; x++) inside += row[x];
      sums[planes.reach] += inside;
      for (int i = 0; i < planes.reach; i++) {
        sums[i] += row[i];
        sums[planes.reach + 1 + i] += row[planes.width + i];
      }
    }
    for (int row = 0; row < job.kernel; row++)
      for (int column = 0; column < job.kernel; column++)
        job.sums[1 + (row * job.kernel + column) * job.channels + colour] +=
            window_sum(spans, planes.reach, row, column);
  }
}

// As patch_products, of patches around all pixels of an image that is no smaller than a patch and
// whose elements lie within +-128.
inline void correlate_patches(const PatchProducts& job) {
  Planes planes;
  split_colours(job, planes, job.scratch);
  add_means(job, planes);
  const int reach = planes.reach;
  for (int a = 0; a < job.channels; a++)
    for (int b = 0; b < job.channels; b++)
      for (int dy = 0; dy <= reach; dy++)
        for (int first = dy == 0 ? 0 : -reach; first <= reach; first += kShifts) {
          Spans spans[kShifts]{};
          correlate(planes, a, b, dy, first, spans);
          for (int s = 0; s < kShifts && first + s <= reach; s++)
            if (dy > 0 || first + s > 0 || a <= b) add_windows(job, spans[s], a, b, dy, first + s);
        }
}

}  // namespace GDQ_ISA
}  // namespace gdq
