// The log posterior of a mixture of Gaussians, and its gradient.
//
// A component has a weight's logarithm alpha, a mean, and a row of `icf`: the logarithms of a lower
// triangular matrix's diagonal, then column by column what lies below. With L that matrix, a point
// x has the term alpha + sum(log diagonal) - |L (x - mean)|^2 / 2 for a component; what counts is
// the logarithm of the sum of the terms' exponentials. A Wishart prior is added.
//
// Points are taken a block at a time, transposed, so that each loop runs over a block's points. The
// forward pass keeps L (x - mean) of all components for the block; the reverse pass goes over it
// with each component's share of each point.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr std::int64_t kBlock = 64;

struct alignas(64) Block {
  double at[kBlock];
};

struct Mixture {
  std::int64_t n, d, components;
  const double *alphas, *means, *icf, *x;
  std::int64_t triangle() const { return d * (d + 1) / 2; }
};

struct Prior {
  double gamma;
  double m;         // by which the degrees of freedom are more than d + 1
  double constant;  // what the posterior has beside all that depends on the parameters
};

// The components' matrices, by rows, without the zeros above the diagonal.
struct Factors {
  explicit Factors(const Mixture& mixture)
      : rows(mixture.components * mixture.triangle()),
        shifts(mixture.components * mixture.d),
        biases(mixture.components) {
    const std::int64_t d = mixture.d;
    for (std::int64_t k = 0; k < mixture.components; ++k) {
      const double* icf = mixture.icf + k * mixture.triangle();
      const double* mean = mixture.means + k * d;
      double* row = &rows[k * mixture.triangle()];
      biases[k] = mixture.alphas[k];
      for (std::int64_t i = 0; i < d; row += ++i) {
        double shift = 0.0;
        for (std::int64_t j = 0; j <= i; ++j) {
          row[j] = i == j ? std::exp(icf[i]) : icf[place(d, i, j)];
          shift += row[j] * mean[j];
        }
        shifts[k * d + i] = shift;
        biases[k] += icf[i];
      }
    }
  }

  // Where the element (i, j) below the diagonal stands in a row of icf.
  static std::int64_t place(std::int64_t d, std::int64_t i, std::int64_t j) {
    return d + j * (2 * d - j - 1) / 2 + i - j - 1;
  }

  std::vector<double> rows;
  std::vector<double> shifts;  // L mean
  std::vector<double> biases;  // alpha + sum(log diagonal)
};

// A block of points and what it leaves for the reverse pass.
struct Pass {
  Pass(const Mixture& mixture, bool keep)
      : stride(keep ? mixture.d : 0),
        x(mixture.d),
        shares(mixture.components),
        whitened(keep ? mixture.components * mixture.d : mixture.d) {}

  std::int64_t begin = 0, count = 0;
  std::int64_t stride;          // in `whitened`: without the reverse pass, components share a place
  std::vector<Block> x;         // by coordinate; zero beyond `count`
  std::vector<Block> shares;    // by component
  std::vector<Block> whitened;  // L (x - mean), by component and coordinate
};

void transpose(const Mixture& mixture, Pass& pass) {
  for (std::int64_t j = 0; j < mixture.d; ++j) {
    const double* from = mixture.x + pass.begin * mixture.d + j;
    for (std::int64_t p = 0; p < pass.count; ++p) pass.x[j].at[p] = from[p * mixture.d];
    std::fill(pass.x[j].at + pass.count, pass.x[j].at + kBlock, 0.0);
  }
}

// The whitened points of a component; returns half their squares in `halves`.
void whiten(std::int64_t d, const double* row, const double* shift, const Block* x, Block* whitened,
            Block& halves) {
  halves = {};
  for (std::int64_t i = 0; i < d; row += ++i) {
    Block sum;
    for (std::int64_t p = 0; p < kBlock; ++p) sum.at[p] = -shift[i];
    for (std::int64_t j = 0; j <= i; ++j) {
      for (std::int64_t p = 0; p < kBlock; ++p) sum.at[p] += row[j] * x[j].at[p];
    }
    for (std::int64_t p = 0; p < kBlock; ++p) halves.at[p] += 0.5 * sum.at[p] * sum.at[p];
    whitened[i] = sum;
  }
}

// Turns terms into shares; returns the sum of the logarithms of the sums of exponentials.
double softmax(std::vector<Block>& terms, std::int64_t count) {
  // A share below e^-600 adds nothing, and would lead to subnormal numbers, which are slow.
  constexpr double kLeast = -600.0;
  Block greatest = terms[0], sums = {};
  for (const Block& term : terms) {
    for (std::int64_t p = 0; p < kBlock; ++p) {
      greatest.at[p] = std::max(greatest.at[p], term.at[p]);
    }
  }
  for (Block& term : terms) {
    for (std::int64_t p = 0; p < kBlock; ++p) {
      term.at[p] = std::exp(std::max(term.at[p] - greatest.at[p], kLeast));
      sums.at[p] += term.at[p];
    }
  }
  for (Block& term : terms) {
    for (std::int64_t p = 0; p < kBlock; ++p) term.at[p] /= sums.at[p];
    std::fill(term.at + count, term.at + kBlock, 0.0);
  }
  double total = 0.0;
  for (std::int64_t p = 0; p < count; ++p) total += greatest.at[p] + std::log(sums.at[p]);
  return total;
}

// What a block adds to the likelihood.
double forward(const Mixture& mixture, const Factors& factors, Pass& pass) {
  const std::int64_t d = mixture.d;
  transpose(mixture, pass);
  for (std::int64_t k = 0; k < mixture.components; ++k) {
    Block& term = pass.shares[k];
    whiten(d, &factors.rows[k * mixture.triangle()], &factors.shifts[k * d], pass.x.data(),
           &pass.whitened[k * pass.stride], term);
    for (std::int64_t p = 0; p < kBlock; ++p) term.at[p] = factors.biases[k] - term.at[p];
  }
  return softmax(pass.shares, pass.count);
}

double sum_of(const Block& block) {
  double sum = 0.0;
  for (std::int64_t p = 0; p < kBlock; ++p) sum += block.at[p];
  return sum;
}

// Sums over all points, of a component's shares s and whitened points w.
struct Sums {
  explicit Sums(const Mixture& mixture)
      : shares(mixture.components),
        whitened(mixture.components * mixture.d),
        products(mixture.components * mixture.triangle()) {}

  std::vector<double> shares;    // s
  std::vector<double> whitened;  // s w
  std::vector<double> products;  // s w x', by rows, as far as the diagonal
};

void reverse(const Mixture& mixture, const Pass& pass, Sums& sums) {
  const std::int64_t d = mixture.d;
  double* product = sums.products.data();
  for (std::int64_t k = 0; k < mixture.components; ++k) {
    const Block* whitened = &pass.whitened[k * pass.stride];
    sums.shares[k] += sum_of(pass.shares[k]);
    for (std::int64_t i = 0; i < d; ++i) {
      Block shared;
      for (std::int64_t p = 0; p < kBlock; ++p) {
        shared.at[p] = pass.shares[k].at[p] * whitened[i].at[p];
      }
      sums.whitened[k * d + i] += sum_of(shared);
      for (std::int64_t j = 0; j <= i; ++j) {
        double sum = 0.0;
        for (std::int64_t p = 0; p < kBlock; ++p) sum += shared.at[p] * pass.x[j].at[p];
        *product++ += sum;
      }
    }
  }
}

template <typename Reverse>
double likelihood(const Mixture& mixture, const Factors& factors, Pass& pass,
                  const Reverse& reverse) {
  double total = 0.0;
  for (pass.begin = 0; pass.begin < mixture.n; pass.begin += kBlock) {
    pass.count = std::min(kBlock, mixture.n - pass.begin);
    total += forward(mixture, factors, pass);
    reverse();
  }
  return total;
}

// What does not depend on the points; `shares` gets the components' weights.
double rest(const Mixture& mixture, const Factors& factors, const Prior& prior,
            std::vector<double>& shares) {
  const double greatest = *std::max_element(mixture.alphas, mixture.alphas + mixture.components);
  double sum = 0.0, logarithms = 0.0, squares = 0.0;
  for (std::int64_t k = 0; k < mixture.components; ++k) {
    shares[k] = std::exp(mixture.alphas[k] - greatest);
    sum += shares[k];
    logarithms += factors.biases[k] - mixture.alphas[k];
  }
  for (double& share : shares) share /= sum;
  for (const double element : factors.rows) squares += element * element;
  return prior.constant + prior.m * logarithms - 0.5 * prior.gamma * prior.gamma * squares -
         static_cast<double>(mixture.n) * (greatest + std::log(sum));
}

}  // namespace

extern "C" void value(std::int64_t n, std::int64_t d, std::int64_t components, double gamma,
                      double m, double constant, const double* alphas, const double* means,
                      const double* icf, const double* x, double* posterior) {
  const Mixture mixture = {n, d, components, alphas, means, icf, x};
  const Factors factors(mixture);
  Pass pass(mixture, false);
  std::vector<double> shares(components);
  *posterior = likelihood(mixture, factors, pass, [] {}) +
               rest(mixture, factors, {gamma, m, constant}, shares);
}

extern "C" void gradient(std::int64_t n, std::int64_t d, std::int64_t components, double gamma,
                         double m, double constant, const double* alphas, const double* means,
                         const double* icf, const double* x, double* posterior, double* by_alphas,
                         double* by_means, double* by_icf) {
  const Mixture mixture = {n, d, components, alphas, means, icf, x};
  const Factors factors(mixture);
  Pass pass(mixture, true);
  Sums sums(mixture);
  std::vector<double> shares(components);
  *posterior = likelihood(mixture, factors, pass, [&] { reverse(mixture, pass, sums); }) +
               rest(mixture, factors, {gamma, m, constant}, shares);

  for (std::int64_t k = 0; k < components; ++k) {
    by_alphas[k] = sums.shares[k] - static_cast<double>(n) * shares[k];
    const double* row = &factors.rows[k * mixture.triangle()];
    const double* product = &sums.products[k * mixture.triangle()];
    const double* mean = means + k * d;
    double* slopes = by_icf + k * mixture.triangle();
    std::fill(by_means + k * d, by_means + (k + 1) * d, 0.0);
    for (std::int64_t i = 0; i < d; ++i) {
      const double whitened = sums.whitened[k * d + i];
      for (std::int64_t j = 0; j <= i; ++j) {
        by_means[k * d + j] += row[j] * whitened;
        const double by_element = whitened * mean[j] - product[j] - gamma * gamma * row[j];
        if (j < i) {
          slopes[Factors::place(d, i, j)] = by_element;
        } else {
          slopes[i] = by_element * row[i] + sums.shares[k] + m;
        }
      }
      row += i + 1;
      product += i + 1;
    }
  }
}
