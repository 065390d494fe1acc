#include "tapegrad/emit/function.h"

#include <array>
#include <bit>

namespace tapegrad::emit {
namespace {

// So many bytes each, for instructions that read a whole vector.
constexpr size_t constant_bytes = 32;

template <class Bits>
void put_rows(Assembler& to, Bits one, Bits half) {
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  for (Bits x : {sign, static_cast<Bits>(~sign), one, half, Bits{0}}) {
    std::array<Bits, constant_bytes / sizeof(Bits)> row;
    row.fill(x);
    to.data(std::bit_cast<std::array<uint8_t, constant_bytes>>(row));
  }
}

Compare compare_of(Function f) {
  switch (f) {
    case Function::less:
      return Compare::less;
    case Function::less_equal:
      return Compare::less_equal;
    case Function::greater:
      return Compare::greater;
    case Function::greater_equal:
      return Compare::greater_equal;
    case Function::equal:
      return Compare::equal;
    default:
      return Compare::not_equal;
  }
}

}  // namespace

void FunctionWriter::put_constants() {
  if (code_.precision() == Precision::float64) {
    put_rows(code_, std::bit_cast<uint64_t>(1.0), std::bit_cast<uint64_t>(0.5));
  } else {
    put_rows(code_, std::bit_cast<uint32_t>(1.0f), std::bit_cast<uint32_t>(0.5f));
  }
}

Memory FunctionWriter::constant(Constant c) const {
  return in_code(static_cast<size_t>(c) * constant_bytes, code_.width() == Width::bytes_64);
}

bool FunctionWriter::takes_memory(Function f) const {
  switch (f) {
    case Function::add:
    case Function::subtract:
    case Function::multiply:
    case Function::divide:
    case Function::reciprocal:
    case Function::add_product:
      return true;
    case Function::square:
    case Function::negative:
    case Function::absolute:
    case Function::root:
    case Function::zero_product:
    case Function::logical_and:
    case Function::logical_or:
    case Function::logical_not:
    case Function::is_nan:
    case Function::prefer:
    case Function::copy:
      return false;
    default:
      return code_.width() == Width::bytes_64;
  }
}

void FunctionWriter::write(Function f, Vector out, Vector a, Vector b, Operand last) {
  switch (f) {
    case Function::add:
      return code_.arithmetic(Arithmetic::add, out, a, last);
    case Function::subtract:
      return code_.arithmetic(Arithmetic::subtract, out, a, last);
    case Function::multiply:
      return code_.arithmetic(Arithmetic::multiply, out, a, last);
    case Function::divide:
      return code_.arithmetic(Arithmetic::divide, out, a, last);
    case Function::reciprocal:
      if (code_.width() == Width::number) {
        code_.load(first_spare(), constant(Constant::one));
      } else {
        code_.spread(first_spare(), constant(Constant::one));
      }
      return code_.arithmetic(Arithmetic::divide, out, first_spare(), last);
    case Function::square:
      return code_.arithmetic(Arithmetic::multiply, out, last.vector(), last);
    case Function::root:
      return code_.root(out, last);
    case Function::negative:
      return code_.logical(Logical::differ, out, last.vector(), constant(Constant::sign));
    case Function::copy:
      return code_.move(out, last.vector());
    case Function::absolute:
      return code_.logical(Logical::both, out, last.vector(), constant(Constant::magnitude));
    default:
      if (code_.width() == Width::bytes_64) return with_masks(f, out, a, b, last);
      return with_vectors(f, out, a, b, last.vector());
  }
}

// `out` is written where no operand is read any more.
void FunctionWriter::with_vectors(Function f, Vector out, Vector a, Vector b, Vector last) {
  const Vector mask = first_spare(), other = second_spare();
  const Memory zero = constant(Constant::zero);
  switch (f) {
    case Function::strong_product:
      code_.compare(Compare::equal, mask, a, zero);
      code_.arithmetic(Arithmetic::multiply, out, a, last);
      return code_.logical(Logical::not_and, out, mask, out);
    case Function::zero_product:
      code_.compare(Compare::equal, mask, a, zero);
      code_.compare(Compare::equal, other, last, zero);
      code_.logical(Logical::either, mask, mask, other);
      code_.arithmetic(Arithmetic::multiply, out, a, last);
      return code_.logical(Logical::not_and, out, mask, out);
    case Function::maximum:
    case Function::minimum:
      code_.compare(f == Function::maximum ? Compare::greater_equal : Compare::less_equal, mask, a,
                    last);
      code_.compare(Compare::unordered, other, a, a);
      code_.logical(Logical::either, mask, mask, other);
      return code_.blend(out, last, a, mask);
    case Function::select:
      code_.compare(Compare::not_equal, mask, a, zero);
      return code_.blend(out, last, b, mask);
    case Function::logical_and:
      code_.compare(Compare::not_equal, mask, a, zero);
      code_.compare(Compare::not_equal, other, last, zero);
      code_.logical(Logical::both, mask, mask, other);
      return code_.logical(Logical::both, out, mask, constant(Constant::one));
    case Function::logical_or:
      code_.logical(Logical::either, mask, a, last);  // 0 where both are
      code_.compare(Compare::not_equal, mask, mask, zero);
      return code_.logical(Logical::both, out, mask, constant(Constant::one));
    case Function::logical_not:
    case Function::is_nan:
      if (f == Function::is_nan) {
        code_.compare(Compare::unordered, mask, last, last);
      } else {
        code_.compare(Compare::equal, mask, last, zero);
      }
      return code_.logical(Logical::both, out, mask, constant(Constant::one));
    case Function::prefer:
      code_.compare(Compare::greater_equal, mask, a, last);
      code_.compare(Compare::greater, other, a, last);
      code_.logical(Logical::both, mask, mask, constant(Constant::half));
      code_.logical(Logical::both, other, other, constant(Constant::half));
      return code_.arithmetic(Arithmetic::add, out, mask, other);
    default:
      code_.compare(compare_of(f), out, a, last);
      return code_.logical(Logical::both, out, out, constant(Constant::one));
  }
}

void FunctionWriter::with_masks(Function f, Vector out, Vector a, Vector b, Operand last) {
  constexpr Mask mask{1};
  const Memory zero = constant(Constant::zero);
  switch (f) {
    case Function::strong_product:
      code_.compare(Compare::not_equal, mask, a, zero);
      return code_.arithmetic(Arithmetic::multiply, out, a, last, mask);
    case Function::zero_product:
      code_.compare(Compare::not_equal, mask, a, zero);
      code_.compare(Compare::not_equal, mask, last.vector(), zero, mask);
      return code_.arithmetic(Arithmetic::multiply, out, a, last, mask);
    case Function::maximum:
    case Function::minimum:
      code_.compare(f == Function::maximum ? Compare::not_greater_equal : Compare::not_less_equal,
                    mask, a, last);
      code_.compare(Compare::ordered, mask, a, a, mask);
      return code_.blend(out, a, last, mask);
    case Function::select:
      code_.compare(Compare::equal, mask, a, zero);
      return code_.blend(out, b, last, mask);
    case Function::logical_and:
      code_.compare(Compare::not_equal, mask, a, zero);
      code_.compare(Compare::not_equal, mask, last.vector(), zero, mask);
      break;
    case Function::logical_or:
      code_.logical(Logical::either, first_spare(), a, last);  // 0 where both are
      code_.compare(Compare::not_equal, mask, first_spare(), zero);
      break;
    case Function::logical_not:
      code_.compare(Compare::equal, mask, last.vector(), zero);
      break;
    case Function::is_nan:
      code_.compare(Compare::unordered, mask, last.vector(), last);
      break;
    case Function::prefer:
      code_.compare(Compare::greater_equal, mask, a, last);
      code_.spread(first_spare(), constant(Constant::half), mask);
      code_.compare(Compare::greater, mask, a, last);
      code_.spread(out, constant(Constant::half), mask);
      return code_.arithmetic(Arithmetic::add, out, out, first_spare());
    default:
      code_.compare(compare_of(f), mask, a, last);
  }
  code_.spread(out, constant(Constant::one), mask);
}

}  // namespace tapegrad::emit
