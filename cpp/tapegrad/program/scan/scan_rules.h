#pragma once

#include "tapegrad/tape/rule.h"

namespace tapegrad {

// The rules of scan are written in terms of scan.
void vjp_scan(VjpContext& ctx);
void jvp_scan(JvpContext& ctx);
std::vector<Ref> lanes_scan(const LanesCall& call);
std::vector<Ref> lanes_scan_reverse(const LanesCall& call);

}  // namespace tapegrad
