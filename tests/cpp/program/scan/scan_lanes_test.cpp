#include "program/scan/scan_cases.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/scan/scan_rules.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

constexpr int64_t n_lanes = 3;

// Lane k of some inputs.
std::vector<Value> lane(const std::vector<Value>& in, const std::vector<uint8_t>& flags,
                        int64_t k) {
  std::vector<Value> found;
  for (size_t i = 0; i < in.size(); ++i) {
    if (!flags[i]) {
      found.push_back(in[i]);
      continue;
    }
    Dims shape = in[i].shape(), strides = in[i].strides();
    const Dims rest(shape.data() + 1, shape.size() - 1),
        steps(strides.data() + 1, strides.size() - 1);
    found.push_back(in[i].view(rest, steps, k * strides[0]));
  }
  return found;
}

// The function over lanes as a program, whose results are held against each lane by itself.
Program check_lanes(const Function& f, const std::vector<Value>& in,
                    const std::vector<uint8_t>& flags) {
  const Recording one = recorded(f, lane(in, flags, 0));
  const Function lanes = [&](const Refs& refs) {
    return replay_lanes(one.program, refs, flags, {}, n_lanes).outputs;
  };
  const std::vector<uint8_t> has_lanes =
      replay_lanes(one.program, refs_of(in), flags, {}, n_lanes).has_lanes;
  const std::vector<Value> all = plain(lanes(refs_of(in)));
  for (int64_t k = 0; k < n_lanes; ++k)
    check_close(lane(all, has_lanes, k), plain(f(refs_of(lane(in, flags, k)))), 1e-13, "a lane");
  return recorded(lanes, in).program;
}

// a, b, x, w -> a * w + b, b | a * x, x
ScanForm mixed(int64_t length, int64_t checkpoints = 0) {
  ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        return {add(multiply(in[0], in[3]), in[1]), in[1], multiply(in[0], in[2]), in[2]};
      },
      {Value(1.0), Value(1.0), numbers({2}), Value(1.0)}, length, 2, 1);
  f.checkpoints = checkpoints;
  return f;
}

std::vector<Value> arguments(const std::vector<uint8_t>& flags, int64_t length) {
  const Dims shapes[] = {{}, {}, {length, 2}, {}};
  std::vector<Value> in;
  for (size_t i = 0; i < 4; ++i) {
    Dims shape;
    if (flags[i]) shape.push_back(n_lanes);
    for (int64_t d : shapes[i]) shape.push_back(d);
    in.push_back(numbers(shape, i + 1));
  }
  return in;
}

Function scanned(const ScanForm& f) {
  return [f](const Refs& in) { return scan(f, in); };
}

}  // namespace

TEST(lanes_of_any_inputs_are_one_scan) {
  for (unsigned bits = 1; bits < 16; ++bits) {
    std::vector<uint8_t> flags;
    for (unsigned i = 0; i < 4; ++i) flags.push_back(bits >> i & 1);
    const Program p = check_lanes(scanned(mixed(4)), arguments(flags, 4), flags);
    CHECK(count_op(p, "scan") == 1);
    for (const Program::Step& s : p.steps) {
      if (s.op != scan_op().id) continue;
      const ScanForm f(p.attrs_of(s));
      // b has lanes only where it was given some; a where anything that it is made of has.
      CHECK((f.body->in_type(1).shape == Dims{n_lanes}) == (flags[1] != 0));
      CHECK((f.body->in_type(0).shape == Dims{n_lanes}) == (flags[0] || flags[1] || flags[3]));
    }
  }
}

TEST(no_steps_over_lanes) {
  const std::vector<uint8_t> flags{1, 0, 1, 0};
  const Program p = check_lanes(scanned(mixed(0)), arguments(flags, 0), flags);
  CHECK(count_op(p, "scan") == 0);
}

// Adjoints of what is the same for all lanes are one for each lane all the same.
TEST(sweeps_with_few_carries_over_lanes_are_one_sweep) {
  for (unsigned bits = 1; bits < 16; ++bits) {
    std::vector<uint8_t> flags;
    for (unsigned i = 0; i < 4; ++i) flags.push_back(bits >> i & 1);
    const Program p = check_lanes(gradient_of(scanned(mixed(5, 2))), arguments(flags, 5), flags);
    CHECK(count_op(p, "scan_reverse") == 1);
  }
}
