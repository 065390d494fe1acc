#include "tapegrad/rows/elementwise_table.h"

#include "tapegrad/rows/cpu.h"

namespace tapegrad {

namespace isa_v1 {
void fill_elementwise(ElementwiseTable& table);
}
namespace isa_v3 {
void fill_elementwise(ElementwiseTable& table);
}
namespace isa_v4 {
void fill_elementwise(ElementwiseTable& table);
}

const ElementwiseTable& make_elementwise_table() {
  static const ElementwiseTable table = [] {
    ElementwiseTable t{};
    switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
      case IsaLevel::v4:
        isa_v4::fill_elementwise(t);
        break;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
      case IsaLevel::v3:
        isa_v3::fill_elementwise(t);
        break;
#endif
      default:
        isa_v1::fill_elementwise(t);
    }
    return t;
  }();
  return table;
}

}  // namespace tapegrad
