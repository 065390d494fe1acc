"""`Module`: parameters, buffers and modules by name, hooks, and the call of `forward`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import is_tensor
from tapegrad.compat.torch.nn.modules.hooks import Handle, watched
from tapegrad.compat.torch.nn.modules.state import StateOfModule
from tapegrad.compat.torch.nn.parameter import Buffer, Parameter

_TABLES = ("_parameters", "_buffers", "_modules")


class Module(StateOfModule):
    """The base of all layers and models.

    >>> import tapegrad.compat.torch as torch
    >>> class Line(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.linear = torch.nn.Linear(1, 1)
    ...     def forward(self, x):
    ...         return self.linear(x)
    >>> [name for name, _ in Line().named_parameters()]
    ['linear.weight', 'linear.bias']
    """

    training: bool

    def __init__(self) -> None:
        put = object.__setattr__
        put(self, "training", True)
        for table in _TABLES:
            put(self, table, OrderedDict())
        put(self, "_transient", set())
        for kind in ("_before", "_after", "_before_backward", "_after_backward"):
            put(self, kind, OrderedDict())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes: written by each class."""
        raise NotImplementedError(
            f"{type(self).__name__}: the class has no forward(self, x), which is what a call "
            "computes"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`forward`, between the hooks."""
        if self._before:
            for hook, with_kwargs in list(self._before.values()):
                found = hook(self, args, kwargs) if with_kwargs else hook(self, args)
                if found is not None:
                    if with_kwargs:
                        args, kwargs = found
                    else:
                        args = found if isinstance(found, tuple) else (found,)
        if self._before_backward or self._after_backward:
            result = watched(self, args, kwargs)
        else:
            result = self.forward(*args, **kwargs)
        if self._after:
            for hook, with_kwargs in list(self._after.values()):
                if with_kwargs:
                    found = hook(self, args, kwargs, result)
                else:
                    found = hook(self, args, result)
                if found is not None:
                    result = found
        return result

    # Names.

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError(
                    f"{type(self).__name__}: a {type(value).__name__} is assigned before the "
                    "module has a place for it; write super().__init__() first"
                )
            object.__setattr__(self, name, value)
            return
        tables = (self._parameters, self._modules, self._buffers)
        if isinstance(value, Parameter):
            self._take_name(name)
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._take_name(name)
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._take_name(name)
            self.register_buffer(name, value, value.persistent)
        elif any(name in table for table in tables):
            table = next(table for table in tables if name in table)
            kind = {0: "parameter", 1: "module", 2: "buffer"}[tables.index(table)]
            if value is not None and not (table is self._buffers and is_tensor(value)):
                wanted = {"parameter": "torch.nn.Parameter", "module": "torch.nn.Module"}
                raise TypeError(
                    f"{type(self).__name__}.{name}: the {kind} is a "
                    f"{wanted.get(kind, 'torch.Tensor')} or None, not {type(value).__name__}"
                )
            table[name] = value
        else:
            object.__setattr__(self, name, value)

    def _take_name(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for table in (self._parameters, self._modules, self._buffers):
            table.pop(name, None) if name in table and table[name] is None else None

    def __getattr__(self, name: str) -> Any:
        for table in _TABLES:
            found = self.__dict__.get(table)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for table in _TABLES:
            if name in self.__dict__[table]:
                del self.__dict__[table][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(n for t in _TABLES for n in self.__dict__[t])})

    def register_parameter(self, name: str, param: Any) -> None:
        """Makes a parameter, or None, an attribute."""
        self._check_name(name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter: {name!r} is a torch.nn.Parameter or None, not "
                f"{type(param).__name__}"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Makes a tensor an attribute that is saved, and not optimised."""
        self._check_name(name)
        if tensor is not None and not is_tensor(tensor):
            raise TypeError(
                f"register_buffer: {name!r} is a tensor or None, not {type(tensor).__name__}"
            )
        self._buffers[name] = tensor
        (self._transient.discard if persistent else self._transient.add)(name)

    def _check_name(self, name: str) -> None:
        if "." in name or not name:
            raise KeyError(f"a parameter, buffer or module is named without dots, and not {name!r}")
        if hasattr(self, name) and not any(name in self.__dict__[t] for t in _TABLES):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} of another kind")

    def add_module(self, name: str, module: Module | None) -> None:
        """Makes a module an attribute."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"add_module: {name!r} is a torch.nn.Module or None, not {type(module).__name__}"
            )
        self._modules[name] = module

    register_module = add_module

    # What it is made of.

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module itself and all below it, with their names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, below, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """The module itself and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules right below it, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules right below it."""
        return (module for _, module in self.named_children())

    def _named(self, table: str, prefix: str, recurse: bool, once: bool) -> Iterator[Any]:
        seen = set()
        modules = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for name, module in modules:
            for key, value in module.__dict__[table].items():
                if value is not None and id(value) not in seen:
                    if once:
                        seen.add(id(value))
                    yield f"{name}.{key}" if name else key, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All parameters with their names."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """All parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers with their names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Any:
        """The module of a dotted name."""
        found: Any = self
        for name in target.split(".") if target else ():
            found = getattr(found, name)
        return found

    def get_parameter(self, target: str) -> Any:
        """The parameter of a dotted name."""
        path, _, name = target.rpartition(".")
        return getattr(self.get_submodule(path), name)

    get_buffer = get_parameter

    # Modes and conversions.

    def train(self, mode: bool = True) -> Any:
        """In training, Dropout and batch statistics are at work."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self) -> Any:
        """`train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Lets all parameters take a gradient, or none."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Takes the parameters' gradients away, or makes them zero."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Calls `fn` with each module, those below first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _converted(self, convert: Callable[[Any], Any]) -> Any:
        for module in self.modules():
            for p in module._parameters.values():
                if p is not None:
                    p.data = convert(p.data)
                    if p.grad is not None:
                        p.grad = convert(p.grad)
            for name, b in module._buffers.items():
                if b is not None:
                    module._buffers[name] = convert(b)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Floating-point parameters and buffers in another dtype."""
        kind = kwargs.get("dtype")
        dtypes.check_device(kwargs.get("device"))
        for x in args:
            if isinstance(x, dtypes.dtype):
                kind = x
            elif is_tensor(x):
                kind = x.dtype
            elif not isinstance(x, bool):
                dtypes.check_device(x)
        if kind is None:
            return self
        return self._converted(lambda t: t.to(kind) if t.is_floating_point() else t)

    def double(self) -> Any:
        """In float64."""
        return self.to(dtypes.BY_NAME["float64"])

    def float(self) -> Any:
        """In float32."""
        return self.to(dtypes.BY_NAME["float32"])

    def type(self, dst_type: Any) -> Any:
        """In another dtype."""
        return self.to(dtypes.as_dtype(dst_type))

    def cpu(self) -> Any:
        """The module itself."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Raises: there is no such device."""
        dtypes.device("cuda")

    # Hooks.

    def register_forward_pre_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """`hook(module, args)` before `forward`; what it returns takes the arguments' place."""
        return Handle(self._before, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Any,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """`hook(module, args, output)` after `forward`; what it returns is the output."""
        return Handle(self._after, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook: Any, prepend: bool = False) -> Handle:
        """`hook(module, grad_output)`; what it returns takes the gradient's place."""
        return Handle(self._before_backward, hook, prepend)

    def register_full_backward_hook(self, hook: Any, prepend: bool = False) -> Handle:
        """`hook(module, grad_input, grad_output)`; what it returns takes grad_input's place."""
        return Handle(self._after_backward, hook, prepend)

    def register_backward_hook(self, hook: Any) -> Handle:
        """The same as `register_full_backward_hook`."""
        return self.register_full_backward_hook(hook)

    # Text.

    def extra_repr(self) -> str:
        """What stands in the brackets of the module's text."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        extra = self.extra_repr()
        if not lines:
            return f"{self._get_name()}({extra})"
        inside = "\n  ".join([*([extra] if extra else []), *lines])
        return f"{self._get_name()}(\n  {inside}\n)"

    def __hash__(self) -> int:
        return id(self)

    def compile(self, *args: Any, **kwargs: Any) -> Any:
        """The module itself, called as before."""
        return self
