"""The training of one network through all stages of a recipe, as a module of Lightning."""

from __future__ import annotations

import copy
from typing import Any, cast

import lightning
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.fitting.steps import calibrate_steps
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.training.data import TrainingPhotos
from gdq_models.training.optimizer import build_optimizer
from gdq_models.training.patches import Batch
from gdq_models.training.recipe import (
    AnyStage,
    FinishStage,
    FloatStage,
    GateStage,
    Recipe,
    WidthsStage,
)
from gdq_models.training.timeline import moment

_FAB_MEMORY = 0.98
"""Share of the running mean that each step keeps; fifty steps of few patches give a steady mean."""


class GranularTraining(lightning.LightningModule):
    """Network, teacher and loss.

    Everything that is random, scheduled or set at the start of a stage depends on the step alone,
    so that a resumed training equals an uninterrupted one.

    Attributes:
        network: the network being trained.
        teacher: the float network, as it was before quantization.
        running_fab: scalar, running mean of the bit-widths that the gate chooses.
    """

    running_fab: Tensor

    def __init__(self, network: SuperResolutionNetwork, recipe: Recipe) -> None:
        super().__init__()
        # Four times as fast as the usual layout for bfloat16 convolutions on a CPU.
        self.network = network.train().to(memory_format=torch.channels_last)
        self.teacher = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.register_buffer("running_fab", torch.tensor(0.0))
        self._recipe = recipe

    def setup(self, stage: str) -> None:
        """Give the entropy rule its table."""
        photos = cast(TrainingPhotos, self.trainer.datamodule)  # type: ignore[attr-defined]
        self.network.gate_predictor.e2b.set_table(photos.entropy_table())

    def configure_optimizers(self) -> Optimizer:
        """Return the optimizer; its learning rates are set at every step."""
        return build_optimizer(self.network, self._recipe.betas)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set network, learning rates and random state to what this step requires."""
        now = moment(self._recipe, self.global_step)
        if now.starts_stage:
            self._begin(now.stage, batch)
        self._set_norms(now.stage)
        for group in cast(Optimizer, self.optimizers()).param_groups:
            rate = getattr(now.stage.rates, group["name"])
            group["lr"] = rate * now.rate_factor
            for parameter in group["params"]:
                parameter.requires_grad_(rate > 0)
        seeds = np.random.SeedSequence([self._recipe.seed, self.global_step, self.global_rank])
        torch.manual_seed(int(seeds.generate_state(1)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss, in units of pixel values of 0..255."""
        stage = moment(self._recipe, self.global_step).stage
        low = batch.low.to(torch.float32, memory_format=torch.channels_last)
        route = self._route(stage, low, batch.bit_width)
        output = self.network(low, route).float()
        loss = F.l1_loss(output, batch.high.to(torch.float32))
        self.log("loss/photo", loss, prog_bar=True)
        if not isinstance(stage, FloatStage) and stage.teacher > 0:
            loss = loss + stage.teacher * self._distance_to_teacher(output, low)
        if isinstance(stage, GateStage | FinishStage):
            assert route is not None
            loss = loss + stage.budget * self._excess(stage, route)
        return loss

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: Any, **__: Any) -> None:
        """Clip the norm of all gradients together, if the stage asks for it."""
        limit = moment(self._recipe, self.global_step).stage.gradient_clip
        if limit is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)

    def _begin(self, stage: AnyStage, batch: Batch) -> None:
        if not isinstance(stage, FloatStage) and not self.network.has_steps():
            # All processes must begin with the same steps.
            low = self.trainer.strategy.broadcast(batch.low)
            calibrate_steps(self.network.eval(), low.float())
            self.network.train()
        if isinstance(stage, WidthsStage):
            self.teacher.load_state_dict(self.network.state_dict())
        if isinstance(stage, GateStage | FinishStage):
            self.running_fab.fill_(stage.target_fab)

    def _set_norms(self, stage: AnyStage) -> None:
        """Freeze batch normalisation where bit-widths change its statistics from patch to patch."""
        learns = isinstance(stage, FloatStage) and stage.batch_statistics
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train(learns)

    def _route(self, stage: AnyStage, low: Tensor, drawn: Tensor) -> Tensor | None:
        """Return the route (N, 4) of each patch, with a gradient where the gate learns."""
        if isinstance(stage, FloatStage):
            return None
        if isinstance(stage, WidthsStage):
            return self.network.route_for(drawn)
        # bfloat16 would round the logits coarsely. The features are trained for the picture, not
        # for the gate, which takes them as they are.
        with torch.autocast(low.device.type, enabled=False):
            features = self.network.features(low).detach()
            route = self.network.gate_predictor.route(features, low)
        if isinstance(stage, FinishStage):
            half = len(low) // 2
            route = torch.cat([route[:half], self.network.route_for(drawn[half:])])
        return route

    def _distance_to_teacher(self, output: Tensor, low: Tensor) -> Tensor:
        with torch.no_grad():
            target = self.teacher(low, None).float()
        distance = F.l1_loss(output, target)
        self.log("loss/teacher", distance, prog_bar=True)
        return distance

    def _excess(self, stage: GateStage | FinishStage, route: Tensor) -> Tensor:
        """Return the squared distance of the running mean bit-width from its target.

        The mean of a single batch would punish a gate for giving its patches different widths.
        """
        routed = route[: len(route) // 2] if isinstance(stage, FinishStage) else route
        mean = (routed * routed.new_tensor(BIT_WIDTHS)).sum(dim=1).mean()
        with torch.no_grad():
            self.running_fab.lerp_(mean, 1 - _FAB_MEMORY)
        self.log("fab", self.running_fab, prog_bar=True)
        return (self.running_fab.clone() + mean - mean.detach() - stage.target_fab).square()
