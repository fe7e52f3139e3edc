// In which order the points of a two-dimensional algorithm are computed: by what narrowing drops of
// them, the point that constants reach last, because its sums begin elsewhere.
#pragma once

namespace gdq {

// An algorithm of rows and columns of points, of which those are halved that are marked.
struct PointOrder {
  const bool *rows_halved, *columns_halved;
  int rows, columns;

  constexpr int count() const { return rows * columns; }
  // Times that sums of a point are halved: 0, 1 or 2.
  constexpr int halvings(int point) const {
    return (rows_halved[point / columns] ? 1 : 0) + (columns_halved[point % columns] ? 1 : 0);
  }
  constexpr bool is_constant(int point) const { return point == columns + 1; }
  // Points that are halved so often.
  constexpr int count(int times) const {
    int points = 0;
    for (int i = 0; i < count(); i++) points += halvings(i) == times;
    return points;
  }
  // The place of a point in the order.
  constexpr int slot(int point) const {
    int before = 0;
    for (int i = 0; i < count(); i++) before += key(i) < key(point);
    return before;
  }

 private:
  constexpr int key(int point) const {
    return (halvings(point) * 2 + (is_constant(point) ? 1 : 0)) * count() + point;
  }
};

template <class Rows, class Columns>
inline constexpr PointOrder kOrder{Rows::kHalved, Columns::kHalved, Rows::kPoints,
                                   Columns::kPoints};

}  // namespace gdq
