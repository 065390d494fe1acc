#include "tapegrad/program/captured_views.h"

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using namespace tapegrad;

namespace {

constexpr int64_t many = 12;

Value counted(const Dims& shape) {
  return filled(DType::float64, shape, [](int64_t i) { return 0.5 * static_cast<double>(i) - 7; });
}

MemoryBlock block_of(const Value& base) {
  const auto* begin = static_cast<const char*>(base.raw());
  return {base.raw(), begin, begin + base.byte_count()};
}

struct Drawn {
  Program program;
  std::vector<Capture> captures;
  std::vector<MemoryBlock> blocks;

  std::optional<JoinedViews> joined() const {
    return join_captured_views(program, captures, blocks);
  }
};

// Each capture, doubled, is a result.
Drawn doubling(const Value& base, const std::vector<Value>& views) {
  Drawn drawn;
  Draft d;
  const ValueId two = d.constant(2.0);
  for (const Value& v : views) {
    drawn.captures.push_back({CellPtr(), v, Ref()});
    drawn.blocks.push_back(block_of(base));
    d.writer().output(d.op("multiply", {d.capture(type_of(v)), two}));
  }
  drawn.program = d.returning({});
  return drawn;
}

// Joins, and holds the results against those of the program as it was.
JoinedViews checked(const Drawn& drawn) {
  const std::optional<JoinedViews> found = drawn.joined();
  CHECK(found.has_value());
  check_program(found->program);
  std::vector<Value> before, now;
  for (const Capture& c : drawn.captures) before.push_back(c.array);
  for (size_t k : found->kept) now.push_back(drawn.captures[k].array);
  now.insert(now.end(), found->covers.begin(), found->covers.end());
  const std::vector<Value> expected = run(drawn.program, {}, before),
                           got = run(found->program, {}, now);
  CHECK(expected.size() == got.size());
  for (size_t k = 0; k < got.size(); ++k) CHECK(same_numbers(expected[k], got[k]));
  return *found;
}

}  // namespace

TEST(windows_are_parts_of_one_array) {
  const Value base = counted({40});
  std::vector<Value> views;
  for (int64_t t = 0; t < many; ++t) views.push_back(base.view(Dims{5}, Dims{1}, 3 * t + 1));
  const JoinedViews found = checked(doubling(base, views));
  CHECK(found.kept.empty());
  CHECK(found.covers.size() == 1);
  CHECK(found.covers[0].shape() == (Dims{3 * many + 2}));
  CHECK(to_string(found.program).find("= slice(captured0) {code=(1, 0, 1, 5)}") !=
        std::string::npos);
}

TEST(what_lies_apart_has_an_axis_in_front) {
  const Value base = counted({40, 6});
  std::vector<Value> rows, batches;
  for (int64_t t = 0; t < many; ++t) {
    rows.push_back(base.view(Dims{6}, Dims{1}, 6 * (many - t)));
    batches.push_back(base.view(Dims{3, 6}, Dims{6, 1}, 18 * t));
  }
  CHECK(checked(doubling(base, rows)).covers[0].shape() == (Dims{many, 6}));
  CHECK(checked(doubling(base, batches)).covers[0].shape() == (Dims{many, 3, 6}));
}

TEST(columns_and_blocks_of_a_matrix) {
  const Value base = counted({20, 15});
  std::vector<Value> columns, pieces, blocks, single;
  for (int64_t t = 0; t < many; ++t) {
    columns.push_back(base.view(Dims{20}, Dims{15}, t));
    pieces.push_back(base.view(Dims{4}, Dims{15}, 15 * t + t % 5));
    blocks.push_back(base.view(Dims{3, 4}, Dims{15, 1}, 15 * t + (t * 7) % 11));
    single.push_back(base.view(Dims{1, 2}, Dims{15, 1}, 15 * t + t));
  }
  CHECK(checked(doubling(base, columns)).covers[0].shape() == (Dims{20, many}));
  checked(doubling(base, pieces));
  CHECK(checked(doubling(base, blocks)).covers[0].shape().ndim() == 2);
  checked(doubling(base, single));
}

TEST(views_of_several_lengths_and_dtypes) {
  const Value base = counted({60}), other = counted({60});
  std::vector<Value> views;
  for (int64_t t = 0; t < many; ++t) views.push_back(base.view(Dims{2 + t % 3}, Dims{1}, 4 * t));
  Drawn drawn = doubling(base, views);
  CHECK(checked(drawn).covers.size() == 1);
  // Another array in between is a capture as before.
  views.insert(views.begin() + 3, other);
  drawn = doubling(base, views);
  drawn.blocks[3] = {};
  const JoinedViews found = checked(drawn);
  CHECK(found.kept == std::vector<size_t>{3});
  CHECK(found.covers.size() == 1);
}

TEST(others_stay_captures) {
  const Value base = counted({40});
  std::vector<Value> few, reversed, spread;
  for (int64_t t = 0; t < 4; ++t) few.push_back(base.view(Dims{5}, Dims{1}, t));
  for (int64_t t = 0; t < many; ++t) {
    reversed.push_back(base.view(Dims{5}, Dims{-1}, t + 5));
    spread.push_back(base.view(Dims{5}, Dims{0}, t));
  }
  CHECK(!doubling(base, few).joined());
  CHECK(!doubling(base, reversed).joined());
  CHECK(!doubling(base, spread).joined());
  std::vector<Value> views;
  for (int64_t t = 0; t < many; ++t) views.push_back(base.view(Dims{5}, Dims{1}, t));
  Drawn unknown = doubling(base, views);
  unknown.blocks.assign(views.size(), {});
  CHECK(!unknown.joined());
}

TEST(a_cover_stays_within_its_block) {
  // Blocks of a matrix whose cover would have more rows than there are elements.
  const Value base = counted({10, 8});
  std::vector<Value> views;
  for (int64_t t = 0; t < many; ++t)
    views.push_back(base.view(Dims{2, 2}, Dims{8, 1}, t < 8 ? 8 * t : 6));
  Drawn drawn = doubling(base, views);
  checked(drawn);
  const char* end =
      drawn.blocks[0].begin + static_cast<std::ptrdiff_t>(sizeof(double) * (8 * 8 + 2));
  for (MemoryBlock& b : drawn.blocks) b.end = end;  // the last view's last element
  CHECK(!drawn.joined());
}
