#pragma once

namespace tapegrad {

// I_{v+1}(x) / I_v(x) of v >= 0 and x > 0: inputs v, x.
double iv_ratio(const double* inputs);

}  // namespace tapegrad
