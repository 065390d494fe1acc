// Programs over rows, compiled at each width and run against what each line says of each lane.
#include "tapegrad/emit/rows/rows.h"

#include "check.h"
#include "emit/line_values.h"
#include "kernels/random_values.h"
#include "tapegrad/emit/machine_code.h"
#include "tapegrad/rows/cpu.h"

using namespace tapegrad::emit;
using tapegrad::Random;

namespace {

std::vector<Width> widths() {
  if (when() == When::never) return {};
  if (tapegrad::isa_level() != tapegrad::IsaLevel::v4) return {Width::bytes_32};
  return {Width::bytes_32, Width::bytes_64};
}

template <class T>
constexpr Precision precision = sizeof(T) == 8 ? Precision::float64 : Precision::float32;

using Kind = RowValue::Kind;

// Places of the table: rows first, then numbers. What stands around a row must stay as it is.
template <class T>
struct Table {
  Table(Random& random, size_t rows, size_t numbers, int64_t n)
      : n_(n), rows_(rows), cells_((rows + numbers) * stride()) {
    for (T& x : cells_) x = static_cast<T>(random.wild());
    for (size_t k = 0; k < rows; ++k) at.push_back(row(k));
    for (size_t k = 0; k < numbers; ++k) at.push_back(cells_.data() + rows * stride() + 3 * k);
  }
  Table(const Table& other) : n_(other.n_), rows_(other.rows_), cells_(other.cells_) {
    for (T* p : other.at) at.push_back(cells_.data() + (p - other.cells_.data()));
  }
  Table& operator=(const Table&) = delete;

  size_t stride() const { return static_cast<size_t>(n_) + 5; }
  T* row(size_t k) { return cells_.data() + k * stride() + 2; }
  const std::vector<T>& cells() const { return cells_; }
  size_t rows() const { return rows_; }

  std::vector<T*> at;

 private:
  int64_t n_;
  size_t rows_;
  std::vector<T> cells_;
};

template <class T>
void run_line_by_line(const RowProgram& program, Table<T>& table, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    std::vector<T> x(program.values.size());
    for (size_t v = 0; v < x.size(); ++v) {
      const RowValue& value = program.values[v];
      if (value.kind == Kind::row) x[v] = table.at[static_cast<size_t>(value.at)][i];
      if (value.kind == Kind::number) x[v] = table.at[program.numbers][value.at];
    }
    for (const Line& line : program.lines) {
      x[line.out] = value_of(line, x[line.a], x[line.b], x[line.c]);
      const RowValue& value = program.values[line.out];
      if (value.kind == Kind::row) table.at[static_cast<size_t>(value.at)][i] = x[line.out];
    }
  }
}

template <class T>
bool agrees(const RowProgram& program, const Table<T>& table, Width width, int64_t n) {
  const Compiled made = compile_rows(program, precision<T>, width);
  const MachineCode code = MachineCode::place(made.code.bytes());
  CHECK(bool(code));
  if (!code) return false;
  Table<T> found(table), wanted(table);
  run_line_by_line(program, wanted, n);
  reinterpret_cast<void (*)(const void*, T* const*, int64_t, void*)>(
      reinterpret_cast<uintptr_t>(code.at(made.entry)))(nullptr, found.at.data(), n, nullptr);
  return same(found.cells(), wanted.cells());
}

template <class T>
int64_t lanes_of(Width w) {
  return static_cast<int64_t>(size_of(w) / sizeof(T));
}

bool is_for_rows(Function f) { return f != Function::call; }

// Values 0 to 2 are rows or numbers, and 3 is the row that is written; it may be one of those.
template <class T>
void check_each_function(Width width) {
  Random random(5);
  for (uint8_t k = 0; k <= static_cast<uint8_t>(Function::copy); ++k) {
    const auto f = static_cast<Function>(k);
    if (!is_for_rows(f)) continue;
    for (uint32_t numbers = 0; numbers < 8; ++numbers)
      for (int32_t out : {3, 0, 1, 2})
        for (const auto& [a, b, c] :
             {std::array<uint32_t, 3>{0, 1, 2}, {0, 0, 1}, {1, 0, 0}, {0, 0, 0}, {0, 1, 0}}) {
          RowProgram p;
          p.numbers = 4;
          for (int32_t v = 0; v < 3; ++v)
            p.values.push_back(numbers >> v & 1 ? RowValue{Kind::number, 7 - 2 * v}
                                                : RowValue{Kind::row, v});
          p.values.push_back({Kind::row, out});
          p.lines.push_back({f, arity_of(f), 3, a, b, c, nullptr, nullptr});
          for (int64_t vectors : {1, 2, 3}) {
            const int64_t n = vectors * lanes_of<T>(width);
            CHECK(agrees(p, Table<T>(random, 4, 3, n), width, n));
          }
        }
  }
}

template <class T>
void check_random_programs(Width width) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const auto any = [&](uint64_t n) { return static_cast<uint32_t>(random.bits() % n); };
    const uint32_t rows = 2 + any(seed % 2 ? 4 : 40), numbers = 1 + any(9);
    RowProgram p;
    p.numbers = rows;
    std::vector<uint32_t> current(rows, ~0U);  // the value that stands in each row
    for (uint32_t k = 0; k < rows; ++k) {
      current[k] = static_cast<uint32_t>(p.values.size());
      p.values.push_back({Kind::row, static_cast<int32_t>(k)});
    }
    for (uint32_t k = 0; k < numbers; ++k)
      p.values.push_back({Kind::number, static_cast<int32_t>(any(3 * numbers))});
    std::vector<uint32_t> last(rows, ~0U);  // that a line gave
    std::vector<uint32_t> known(p.values.size());
    for (uint32_t v = 0; v < known.size(); ++v) known[v] = v;
    for (uint32_t i = 0, n = 1 + any(seed % 3 ? 40 : 300); i < n; ++i) {
      auto f = static_cast<Function>(any(static_cast<uint8_t>(Function::copy) + 1));
      if (!is_for_rows(f)) f = Function::add_product;
      const auto operand = [&] {
        const uint32_t recent =
            any(3) ? any(std::min<uint32_t>(6, static_cast<uint32_t>(known.size())))
                   : any(known.size());
        return known[known.size() - 1 - recent];
      };
      const auto out = static_cast<uint32_t>(p.values.size());
      p.values.push_back({});
      p.lines.push_back({f, arity_of(f), out, operand(), operand(), operand(), nullptr, nullptr});
      known.push_back(out);
      if (any(4) == 0) {  // it stands in a row from now on, and what stood there is gone
        const uint32_t k = any(rows);
        std::erase(known, current[k]);
        if (last[k] != ~0U) p.values[last[k]] = {};
        current[k] = last[k] = out;
        p.values[out] = {Kind::row, static_cast<int32_t>(k)};
      }
    }
    const int64_t n = lanes_of<T>(width) * (1 + any(3));
    const bool ok = agrees(p, Table<T>(random, rows, numbers, n), width, n);
    CHECK(ok);
    if (!ok) std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  }
}

}  // namespace

TEST(each_function_of_rows_gives_the_bits_of_its_formula) {
  for (Width width : widths()) {
    check_each_function<double>(width);
    check_each_function<float>(width);
  }
}

TEST(random_programs_leave_the_rows_that_their_lines_say) {
  for (Width width : widths()) {
    check_random_programs<double>(width);
    check_random_programs<float>(width);
  }
}

TEST(long_chains_take_several_vectors_at_a_time) {
  for (Width width : widths())
    for (const uint32_t length : {2U, 50U, 500U}) {
      RowProgram p;
      p.numbers = 3;
      p.values = {{Kind::row, 0}, {Kind::row, 1}, {Kind::number, 1}};
      for (uint32_t i = 0, last = 0; i < length; ++i) {
        const auto out = static_cast<uint32_t>(p.values.size());
        p.values.push_back({});
        const Function f = i % 5 == 2 ? Function::maximum : Function::add_product;
        p.lines.push_back({f, arity_of(f), out, last, 1, i % 3 ? 2U : 1U, nullptr, nullptr});
        last = out;
      }
      p.values.back() = {Kind::row, 2};
      Random random(length);
      for (int64_t vectors = 0; vectors < 10; ++vectors) {
        const int64_t n = vectors * lanes_of<double>(width);
        CHECK(agrees(p, Table<double>(random, 3, 2, n), width, n));
      }
    }
}

TEST(a_program_of_many_values_finds_room_on_the_stack) {
  for (Width width : widths()) {
    constexpr uint32_t rows = 100;
    RowProgram p;
    for (uint32_t k = 0; k < rows; ++k) p.values.push_back({Kind::row, static_cast<int32_t>(k)});
    const auto add = [&](Function f, uint32_t a, uint32_t b) {
      p.values.push_back({});
      const auto out = static_cast<uint32_t>(p.values.size() - 1);
      p.lines.push_back({f, 2, out, a, b, 0, nullptr, nullptr});
      return out;
    };
    for (uint32_t k = 1; k < rows; ++k) add(Function::multiply, k - 1, k);
    uint32_t sum = rows;
    for (uint32_t k = rows + 1; k < 2 * rows - 1; ++k) sum = add(Function::add, sum, k);
    p.values[sum] = {Kind::row, 0};
    Random random(9);
    const int64_t n = 2 * lanes_of<double>(width);
    CHECK(agrees(p, Table<double>(random, rows, 0, n), width, n));
  }
}

TEST(a_listing_of_rows_has_every_byte_of_the_code) {
  RowProgram p;
  p.values = {{Kind::row, 0}, {Kind::number, 1}, {Kind::row, 1}};
  p.numbers = 2;
  p.lines = {{Function::multiply, 2, 2, 0, 1, 0, nullptr, nullptr}};
  for (const Width width : {Width::bytes_32, Width::bytes_64}) {
    const Compiled made = compile_rows(p, Precision::float64, width, true);
    size_t at = made.code.listing().front().at;
    for (const ListedInstruction& i : made.code.listing()) {
      CHECK(i.at == at);
      at += i.length;
    }
    CHECK(at == made.code.bytes().size());
    const std::string text = listing_of(made);
    CHECK(text.find(width == Width::bytes_64 ? "vmulpd zmm0, zmm0, [rcx+8]{1to8}"
                                             : "vbroadcastsd ymm1, [rcx+8]") != std::string::npos);
  }
}
