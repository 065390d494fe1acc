// Random functions of the tape's API: eager, recorded, differentiated and over lanes.
#include "fuzz/rounds.h"
#include "program/same_function.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"

using namespace programs;

namespace {

struct Step {
  uint64_t kind, a, b, r;
};

// A function made of steps, each of which reads two earlier values. Numbers stay of ordinary size.
class Recipe {
 public:
  Recipe(uint64_t seed, const std::vector<Value>& at) {
    std::mt19937_64 random(seed);
    const size_t n = 2 + random() % 14;
    for (size_t k = 0; k < 4 * n && steps_.size() < n; ++k) {
      steps_.push_back({random() % 18, random(), random(), random()});
      try {
        call(refs_of(at));
      } catch (const tapegrad::Error&) {  // shapes that do not fit
        steps_.pop_back();
      }
    }
  }

  Refs call(const Refs& in) const {
    Refs values = in;
    for (const Step& s : steps_)
      values.push_back(step(s, values[s.a % values.size()], values[s.b % values.size()]));
    const size_t n = std::min<size_t>(3, values.size());
    return Refs(values.end() - static_cast<int64_t>(n), values.end());
  }

 private:
  static Ref step(const Step& s, const Ref& x, const Ref& y) {
    using namespace tapegrad;
    const auto bent = [](const Ref& v) { return elementwise(scalar_fn_of<Sin>(), {v}); };
    const int64_t axes = x.ndim(), axis = axes ? static_cast<int64_t>(s.r) % axes : 0;
    const int64_t at = axis < 0 ? axis + axes : axis;
    if (s.kind >= 8 && !axes) return bent(x);
    const int64_t length = axes ? x.value().dim(static_cast<int>(at)) : 1;
    switch (s.kind) {
      case 0:
        return add(x, y);
      case 1:
        return bent(multiply(x, y));
      case 2:
        return subtract(bent(x), y);
      case 3:
        return elementwise(scalar_fn_of<Tanh>(), {x});
      case 4:
        return divide(x, add(Ref(2.0), square(y)));
      case 5:
        return bent(matmul(x, y));
      case 6:
        return where(less(x, y), x, multiply(y, y));
      case 7:
        return bent(sum(x));
      case 8:
        return mean(x, Axes{Ints{at}}, s.r % 2 == 0);
      case 9:
        return flip(x, Axes{Ints{at}});
      case 10:
        return roll(x, {static_cast<int64_t>(s.r % 7) - 3}, Axes{Ints{at}});
      case 11:
        return bent(cumsum(x, at, s.r % 2 == 0));
      case 12:
        return concatenate({x, y}, at);
      case 13: {
        IndexSpec spec;
        for (int64_t k = 0; k < axes; ++k) {
          const int64_t n = x.value().dim(static_cast<int>(k));
          if (k != at) {
            spec.whole(n);
          } else if (s.r % 3 == 0) {
            spec.range(n - 1, -2, (n + 1) / 2);
          } else {
            spec.range(n / 3, 1, n - n / 3);
          }
        }
        return slice(x, spec);
      }
      case 14: {
        std::vector<int64_t> rows;
        for (uint64_t k = 0; k < s.b % 5 && length > 0; ++k)
          rows.push_back(static_cast<int64_t>((s.r + k * k) % static_cast<uint64_t>(length)));
        return gather_axis(x, at, rows);
      }
      case 15:
        return swap_last_axes(x);
      case 16:
        return reshape(x, Ints{x.size()});
      default: {
        IndexSpec spec;
        for (int64_t k = 0; k < axes; ++k) spec.whole(x.value().dim(static_cast<int>(k)));
        return slice_set(x, spec, bent(y));
      }
    }
  }

  std::vector<Step> steps_;
};

constexpr int64_t lengths[] = {0, 1, 2, 3, 5, 7, 9, 17, 33, 64, 65, 130};

struct Drawn {
  std::vector<Value> at, elsewhere;
  Function f;

  explicit Drawn(uint64_t seed) {
    tapegrad::register_all_ops();
    std::mt19937_64 random(seed);
    const int64_t n = lengths[random() % std::size(lengths)], m = lengths[random() % 6];
    for (const Dims& shape : {Dims{n}, Dims{m, n}, Dims{}, Dims{m, 1}}) {
      at.push_back(random_value(f64(shape), random));
      elsewhere.push_back(random_value(f64(shape), random));
    }
    const auto recipe = std::make_shared<Recipe>(seed, at);
    f = [recipe](const Refs& in) { return recipe->call(in); };
  }
};

// Masks differ where two numbers are equal but for rounding: those are not compared.
void check_program_of(const Function& f, const Drawn& d, const char* what) {
  check_close(run_recorded(f, d.at, d.elsewhere), plain(f(refs_of(d.elsewhere))), 1e-8, what);
}

}  // namespace

TEST(recorded_functions_are_what_they_were) {
  for (fuzz::Rounds r(120); r.next();) {
    const Drawn d(r.seed());
    const Function first = gradient_of(d.f), along = tangent_of(d.f);
    check_program_of(d.f, d, "value");
    check_program_of(first, d, "gradient");
    check_program_of(along, d, "tangent");
    check_program_of(tangent_of(first), d, "tangent of gradient");
    check_program_of(gradient_of(along), d, "gradient of tangent");
  }
}

TEST(a_gradient_is_the_transpose_of_the_tangent) {
  for (fuzz::Rounds r(200); r.next();) {
    const Drawn d(r.seed());
    const Function number = [&](const Refs& in) { return Refs{as_number(d.f(in))}; };
    // The mean of nothing is no number.
    if (!std::isfinite(as_number(d.f(refs_of(d.at))).value().as_double())) continue;
    const std::vector<Value> along = plain(tangent_of(number)(refs_of(d.at)));
    const std::vector<Value> gradient = plain(gradient_of(d.f)(refs_of(d.at)));
    double product = 0, size = 1;
    for (size_t i = 0; i < gradient.size(); ++i) {
      std::mt19937_64 random(40 + i);
      const Value u = random_value(type_of(d.at[i]), random);
      for (int64_t k = 0; k < u.size(); ++k) {
        product += u.at(k) * gradient[i].at(k);
        size += std::abs(u.at(k) * gradient[i].at(k));
      }
    }
    CHECK_CLOSE(along[0].as_double() / size, product / size, 1e-10);
  }
}

TEST(lanes_are_calls_one_by_one) {
  for (fuzz::Rounds r(60); r.next();) {
    const Drawn d(r.seed());
    std::mt19937_64 random(r.seed());
    std::vector<uint8_t> flags;
    for (size_t i = 0; i < d.at.size(); ++i) flags.push_back(random() % 2 == 0);
    flags[random() % flags.size()] = 1;
    const std::vector<Value> lanes = run_lanes(d.f, d.at, flags, 3);
    for (int64_t lane = 0; lane < 3; ++lane) {
      std::vector<Value> in;
      for (size_t i = 0; i < d.at.size(); ++i) {
        const double factor = flags[i] ? 1 + 0.1 * static_cast<double>(lane) : 1;
        in.push_back(tapegrad::multiply(Ref(d.at[i]), Ref(factor)).value());
      }
      const std::vector<Value> alone = plain(d.f(refs_of(in)));
      for (size_t k = 0; k < alone.size(); ++k) {
        CHECK(lanes[k].size() == 3 * alone[k].size());
        for (int64_t i = 0; i < alone[k].size(); ++i)
          CHECK_CLOSE(lanes[k].at(lane * alone[k].size() + i), alone[k].at(i), 1e-8);
      }
    }
  }
}
