// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/module_init.h"

#include "hyp/cfi.h"
#include "hyp/hypervisor.h"
#include "hyp/ops_table.h"
#include "lib/address_cast.h"
#include "pkvm/event.h"

namespace pkvmemu::hyp {

int init_module(HypVa init) {
  Hypervisor& hyp = hypervisor();
  // Its hash is what tells the flavour, so there is nothing left to compare for init itself.
  const CfiFlavour flavour = flavour_of_init(init);
  hyp.modules.set_flavour(init, flavour);
  const pkvm_module_ops* ops = module_ops(hyp.generation, flavour);
  const int result = fw::function_at<int(const pkvm_module_ops*)>(init)(ops);
  hyp.events.emit(pkvm::event::Kind::module_init,
                  {init.value, static_cast<std::uint64_t>(std::int64_t{result})});
  return result;
}

}  // namespace pkvmemu::hyp
