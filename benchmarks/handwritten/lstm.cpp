// The loss of a recurrent network of 14 cells a layer, and its gradient.
//
// A layer's step, from its input x and its last hidden value h and cell, all by element:
//   forget = sigmoid(x w0 + b0), take = sigmoid(h w1 + b1), give = sigmoid(x w2 + b2),
//   change = tanh(h w3 + b3), cell' = cell forget + take change, h' = give tanh(cell').
// The forward pass keeps the gates, the new cell and its tanh; the reverse pass needs no more.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace {

constexpr int kCells = 14;
constexpr int kWidth = 16;  // rows are padded with zeros to whole vectors

struct alignas(64) Row {
  double at[kWidth];
};

struct Layer {
  Row weight[4], bias[4];
};

struct Extra {
  Row in, out, bias;
};

struct State {
  Row hidden, cell;
};

struct Step {  // what a layer's step keeps
  Row forget, take, give, change, cell, squashed;
};

struct Prediction {
  Row shares;  // of each bit, exp(prediction) / sum
  double wanted;
};

struct Network {
  std::vector<Layer> layers;
  Extra extra;
  std::vector<State> start;
};

Row row_of(const double* values) {
  Row row = {};
  std::copy(values, values + kCells, row.at);
  return row;
}

Network network_of(std::int64_t layers, const double* main, const double* extra,
                   const double* state) {
  Network network;
  network.layers.resize(layers);
  network.start.resize(layers);
  for (std::int64_t l = 0; l < layers; ++l) {
    for (int gate = 0; gate < 4; ++gate) {
      network.layers[l].weight[gate] = row_of(main + (8 * l + gate) * kCells);
      network.layers[l].bias[gate] = row_of(main + (8 * l + 4 + gate) * kCells);
    }
    network.start[l] = {row_of(state + 2 * l * kCells), row_of(state + (2 * l + 1) * kCells)};
  }
  network.extra = {row_of(extra), row_of(extra + kCells), row_of(extra + 2 * kCells)};
  return network;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// Moves a layer's state on, whose hidden value is also its output.
void forward(const Layer& layer, const Row& x, State& state, Step& step) {
  for (int i = 0; i < kWidth; ++i) {
    const double forget = sigmoid(x.at[i] * layer.weight[0].at[i] + layer.bias[0].at[i]);
    const double take = sigmoid(state.hidden.at[i] * layer.weight[1].at[i] + layer.bias[1].at[i]);
    const double give = sigmoid(x.at[i] * layer.weight[2].at[i] + layer.bias[2].at[i]);
    const double change =
        std::tanh(state.hidden.at[i] * layer.weight[3].at[i] + layer.bias[3].at[i]);
    const double cell = state.cell.at[i] * forget + take * change;
    const double squashed = std::tanh(cell);
    step.forget.at[i] = forget;
    step.take.at[i] = take;
    step.give.at[i] = give;
    step.change.at[i] = change;
    step.cell.at[i] = state.cell.at[i] = cell;
    step.squashed.at[i] = squashed;
    state.hidden.at[i] = give * squashed;
  }
}

// The gain of predicting `wanted` from the last layer's output.
double predict(const Extra& extra, const Row& output, const double* wanted, Prediction& kept) {
  Row predicted;
  for (int i = 0; i < kWidth; ++i) {
    predicted.at[i] = output.at[i] * extra.out.at[i] + extra.bias.at[i];
    kept.shares.at[i] = std::exp(predicted.at[i]);
  }
  double sum = 2.0, gain = 0.0;
  kept.wanted = 0.0;
  for (int i = 0; i < kCells; ++i) {
    sum += kept.shares.at[i];
    gain += wanted[i] * predicted.at[i];
    kept.wanted += wanted[i];
  }
  for (int i = 0; i < kWidth; ++i) kept.shares.at[i] /= sum;
  return gain - kept.wanted * std::log(sum);
}

// The loss; `keep` gives the places for what a time's steps and its prediction keep.
template <typename Keep>
double run(const Network& network, std::int64_t steps, const double* sequence, const Keep& keep) {
  std::vector<State> states = network.start;
  double total = 0.0;
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto [step, prediction] = keep(t);
    Row x = row_of(sequence + t * kCells);
    for (int i = 0; i < kWidth; ++i) x.at[i] *= network.extra.in.at[i];
    const Row* input = &x;
    for (std::size_t l = 0; l < states.size(); ++l) {
      forward(network.layers[l], *input, states[l], step[l]);
      input = &states[l].hidden;
    }
    total += predict(network.extra, *input, sequence + (t + 1) * kCells, *prediction);
  }
  return -total / static_cast<double>(kCells * steps);
}

Row hidden_of(const Step& step) {
  Row row;
  for (int i = 0; i < kWidth; ++i) row.at[i] = step.give.at[i] * step.squashed.at[i];
  return row;
}

// `state` comes with the slopes by the state after the step and leaves with those by the one
// before; `by_x` comes with those by the output and leaves with those by the input.
void reverse(const Layer& layer, const Step& step, const Row& x, const State& before, State& state,
             Row& by_x, Layer& by_layer) {
  for (int i = 0; i < kWidth; ++i) {
    const double forget = step.forget.at[i], take = step.take.at[i], give = step.give.at[i];
    const double change = step.change.at[i], squashed = step.squashed.at[i];
    const double by_hidden = by_x.at[i] + state.hidden.at[i];
    const double by_cell = state.cell.at[i] + by_hidden * give * (1.0 - squashed * squashed);
    // By the argument of each gate's function.
    const double by_forget = by_cell * before.cell.at[i] * forget * (1.0 - forget);
    const double by_take = by_cell * change * take * (1.0 - take);
    const double by_give = by_hidden * squashed * give * (1.0 - give);
    const double by_change = by_cell * take * (1.0 - change * change);
    by_layer.weight[0].at[i] += by_forget * x.at[i];
    by_layer.weight[1].at[i] += by_take * before.hidden.at[i];
    by_layer.weight[2].at[i] += by_give * x.at[i];
    by_layer.weight[3].at[i] += by_change * before.hidden.at[i];
    by_layer.bias[0].at[i] += by_forget;
    by_layer.bias[1].at[i] += by_take;
    by_layer.bias[2].at[i] += by_give;
    by_layer.bias[3].at[i] += by_change;
    by_x.at[i] = by_forget * layer.weight[0].at[i] + by_give * layer.weight[2].at[i];
    state.hidden.at[i] = by_take * layer.weight[1].at[i] + by_change * layer.weight[3].at[i];
    state.cell.at[i] = by_cell * forget;
  }
}

void write(const Row& row, double* values) { std::copy(row.at, row.at + kCells, values); }

}  // namespace

extern "C" void value(std::int64_t layers, std::int64_t steps, const double* main,
                      const double* extra, const double* state, const double* sequence,
                      double* loss) {
  std::vector<Step> scratch(layers);
  Prediction prediction;
  *loss = run(network_of(layers, main, extra, state), steps, sequence,
              [&](std::int64_t) { return std::pair(scratch.data(), &prediction); });
}

extern "C" void gradient(std::int64_t layers, std::int64_t steps, const double* main,
                         const double* extra, const double* state, const double* sequence,
                         double* loss, double* by_main, double* by_extra) {
  const Network network = network_of(layers, main, extra, state);
  const std::unique_ptr<Step[]> kept(new Step[layers * steps]);  // not set to zero, as a vector is
  std::vector<Prediction> predictions(steps);
  *loss = run(network, steps, sequence,
              [&](std::int64_t t) { return std::pair(&kept[t * layers], &predictions[t]); });

  std::vector<Layer> by_layers(layers);
  std::vector<State> by_states(layers);
  Extra slopes = {};
  const double scale = -1.0 / static_cast<double>(kCells * steps);
  for (std::int64_t t = steps - 1; t >= 0; --t) {
    const Step* step = &kept[t * layers];
    const Row bits = row_of(sequence + t * kCells), wanted = row_of(sequence + (t + 1) * kCells);
    const Row output = hidden_of(step[layers - 1]);
    Row by_x;
    for (int i = 0; i < kWidth; ++i) {
      const double by_predicted =
          scale * (wanted.at[i] - predictions[t].wanted * predictions[t].shares.at[i]);
      slopes.out.at[i] += by_predicted * output.at[i];
      slopes.bias.at[i] += by_predicted;
      by_x.at[i] = by_predicted * network.extra.out.at[i];
    }
    for (std::int64_t l = layers - 1; l >= 0; --l) {
      Row x;
      if (l > 0) {
        x = hidden_of(step[l - 1]);
      } else {
        for (int i = 0; i < kWidth; ++i) x.at[i] = bits.at[i] * network.extra.in.at[i];
      }
      const State before =
          t == 0 ? network.start[l] : State{hidden_of(step[l - layers]), step[l - layers].cell};
      reverse(network.layers[l], step[l], x, before, by_states[l], by_x, by_layers[l]);
    }
    for (int i = 0; i < kWidth; ++i) slopes.in.at[i] += by_x.at[i] * bits.at[i];
  }

  for (std::int64_t l = 0; l < layers; ++l) {
    for (int gate = 0; gate < 4; ++gate) {
      write(by_layers[l].weight[gate], by_main + (8 * l + gate) * kCells);
      write(by_layers[l].bias[gate], by_main + (8 * l + 4 + gate) * kCells);
    }
  }
  write(slopes.in, by_extra);
  write(slopes.out, by_extra + kCells);
  write(slopes.bias, by_extra + 2 * kCells);
}
