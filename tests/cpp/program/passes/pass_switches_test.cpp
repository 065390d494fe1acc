#include "tapegrad/program/passes/pass_switches.h"

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

TEST(each_pass_is_switched_by_its_name) {
  for (std::string_view name : pass_names()) {
    PassOptions options;
    switch_pass(options, name, false);
    const PassOptions defaults;
    // One field differs from the defaults, unless it was off before.
    const bool PassOptions::* fields[] = {
        &PassOptions::roll,    &PassOptions::parts, &PassOptions::fold,  &PassOptions::shared,
        &PassOptions::dead,    &PassOptions::views, &PassOptions::batch, &PassOptions::expand,
        &PassOptions::algebra, &PassOptions::tiles, &PassOptions::fuse,  &PassOptions::reorder};
    int changed = 0;
    for (auto field : fields) changed += options.*field != defaults.*field;
    CHECK(changed == (name == "reorder" ? 0 : 1));
  }
  PassOptions options;
  switch_pass(options, "reorder", true);
  CHECK(options.reorder);
}

TEST(other_names_are_refused) {
  PassOptions options;
  CHECK_THROWS(TypeError, switch_pass(options, "speed", true));
}
