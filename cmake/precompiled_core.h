// What nearly every file of the core reads, for builds from scratch (TAPEGRAD_FRESH_BUILD). No file
// relies on it.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tapegrad/tape/rule.h"
