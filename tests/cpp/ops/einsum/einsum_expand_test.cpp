#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::expand;

namespace {

// The einsum beside enough products for a kernel to be faster.
Program program_of(const char* subscripts, const std::vector<Dims>& shapes) {
  Draft d;
  std::vector<ValueId> in;
  std::vector<TensorType> types;
  for (const Dims& shape : shapes) {
    in.push_back(d.input(shape));
    types.push_back(f64(shape));
  }
  const ValueId m = d.input({2, 2});
  ValueId products = m;
  for (int k = 0; k < 60; ++k) products = d.op("matmul", {products, m});
  const Op& einsum = op_named("einsum");
  const Attrs attrs{std::string(subscripts)};
  const ValueId found = d.writer().step(einsum, attrs, in, einsum.infer(attrs, types));
  return d.returning({found, d.op("negative", {found}), products});
}

}  // namespace

TEST(einsum_of_small_arrays_keeps_its_bits) {
  const std::vector<std::pair<const char*, std::vector<Dims>>> cases = {
      {"ij,jk->ik", {{3, 4}, {4, 2}}},
      {"ij,jk->ki", {{3, 4}, {4, 2}}},
      {"ij,ij->", {{2, 3}, {2, 3}}},
      {"ij,ji->", {{2, 3}, {3, 2}}},
      {"nij,nj->ni", {{4, 3, 3}, {4, 3}}},
      {"nij,jk,nk->ni", {{4, 3, 3}, {3, 2}, {4, 2}}},
      {"i,j,k->kji", {{2}, {3}, {4}}},
      {"i,ij,j->", {{3}, {3, 4}, {4}}},
      {"ij->ji", {{3, 4}}},
      {"ij->i", {{3, 9}}},
      {"ij,k->k", {{3, 5}, {4}}},
      {"ii->i", {{4, 4}}},
      {"ii->", {{2, 2}}},
      {"ii,ij->j", {{2, 2}, {2, 3}}},
      {"ij,jk->ik", {{3, 1}, {4, 2}}},
      {"...ij,...ij->...", {{2, 2, 3}, {2, 3}}},
      {"ijk,ljk->il", {{2, 2, 2}, {3, 2, 2}}},
  };
  for (const auto& [subscripts, shapes] : cases) {
    const Program p = program_of(subscripts, shapes);
    const Program q = expand(p);
    if (count_op(q, "einsum") != 0) std::printf("%s\n", subscripts);
    CHECK(count_op(q, "einsum") == 0 && count_kernels(q) == 1);
    check_same(p, q, true, true);
  }
}

TEST(einsum_whose_order_is_not_known_stays) {
  const std::vector<std::pair<const char*, std::vector<Dims>>> cases = {
      {"ij,ji->", {{3, 3}, {3, 3}}},  // 9 products, as a library adds them
      {"ij,jk->ik", {{2, 6}, {6, 6}}},
      {"ii->", {{4, 4}}},  // along a diagonal
  };
  for (const auto& [subscripts, shapes] : cases) {
    const Program p = program_of(subscripts, shapes);
    const Program q = expand(p);
    CHECK(count_op(q, "einsum") == 1 && count_kernels(q) == 1);
    check_same(p, q, true, true);
  }
}
