// SPDX-License-Identifier: Apache-2.0
#include "coordinate_values.h"

#include <algorithm>

namespace kawara::compiler {

namespace {

int64_t floor_divide(int64_t value, int64_t divisor) { return value / divisor - (value % divisor < 0); }
int64_t ceiling_divide(int64_t value, int64_t divisor) { return value / divisor + (value % divisor > 0); }

// The sums themselves. What continues the progression below it, or lies in its steps, becomes part of it.
Values sums_of(const LoopedCoordinate& coordinate) {
  Values values{.low = coordinate.base};
  std::vector<Progression> sums;
  for (Progression sum : coordinate.sums) {
    if (sum.step == 0 || sum.count <= 1) continue;
    if (sum.step < 0) {
      values.low += sum.step * static_cast<int64_t>(sum.count - 1);
      sum.step = -sum.step;
    }
    sums.push_back(sum);
  }
  std::ranges::sort(sums, {}, &Progression::step);
  for (const Progression& sum : sums) {
    Progression* const last = values.sums.empty() ? nullptr : &values.sums.back();
    if (last && sum.step % last->step == 0 && static_cast<uint64_t>(sum.step / last->step) <= last->count)
      last->count += (sum.count - 1) * static_cast<uint64_t>(sum.step / last->step);
    else
      values.sums.push_back(sum);
  }
  return values;
}

int64_t highest(const Values& values) {
  int64_t high = values.low;
  for (const Progression& sum : values.sums) high += sum.step * static_cast<int64_t>(sum.count - 1);
  return high;
}

// From low to high, both included.
Values span(int64_t low, int64_t high) {
  if (low > high) return {.empty = true};
  if (low == high) return {.low = low};
  return {.low = low, .sums = {{1, static_cast<uint64_t>(high - low) + 1}}};
}

// What the division leaves of the sums.
std::optional<Values> quotients(const Values& sums, int64_t den, bool exact) {
  if (den == 1) return sums;
  if (sums.sums.size() > 1) return std::nullopt;
  const int64_t low = sums.low, high = highest(sums);
  const Progression sum = sums.sums.empty() ? Progression{den, 1} : sums.sums.front();
  if (exact && low % den != 0 && sum.step % den == 0) return Values{.empty = true};
  // Each is a whole number of `den` apart from the next.
  if (sum.step % den == 0) {
    if (sum.count == 1) return Values{.low = floor_divide(low, den)};
    return Values{.low = floor_divide(low, den), .sums = {{sum.step / den, sum.count}}};
  }
  if (!exact && sum.step <= den) return span(floor_divide(low, den), floor_divide(high, den));
  if (exact && sum.step == 1) return span(ceiling_divide(low, den), floor_divide(high, den));
  return std::nullopt;
}

}  // namespace

std::optional<Values> values_of(const LoopedCoordinate& coordinate) {
  auto values = quotients(sums_of(coordinate), coordinate.den, coordinate.exact);
  if (!values || values->empty) return values;
  if (coordinate.extent == 0) return Values{.empty = true};
  const int64_t low = values->low, high = highest(*values), most = int64_t{coordinate.extent} - 1;
  if (low >= 0 && high <= most) return values;
  if (values->sums.size() > 1) return std::nullopt;
  const int64_t step = values->sums.empty() ? 1 : values->sums.front().step;
  if (coordinate.clamp) {
    if (step != 1) return std::nullopt;
    return span(std::clamp<int64_t>(low, 0, most), std::clamp<int64_t>(high, 0, most));
  }
  const int64_t first = ceiling_divide(std::max<int64_t>(-low, 0), step), last = floor_divide(std::min(high, most) - low, step);
  if (first > last) return Values{.empty = true};
  if (first == last) return Values{.low = low + first * step};
  return Values{.low = low + first * step, .sums = {{step, static_cast<uint64_t>(last - first) + 1}}};
}

}  // namespace kawara::compiler
