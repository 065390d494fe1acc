#pragma once

#include "tapegrad/emit/machine_code.h"

// Sets when programs are compiled, until the end of the block.
class EmitWhen {
 public:
  explicit EmitWhen(tapegrad::emit::When when) { tapegrad::emit::set_when(when); }
  ~EmitWhen() { tapegrad::emit::set_when(before_); }
  EmitWhen(const EmitWhen&) = delete;
  EmitWhen& operator=(const EmitWhen&) = delete;

 private:
  const tapegrad::emit::When before_ = tapegrad::emit::when();
};
