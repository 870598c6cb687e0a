"""What is left of the voice's emotion in motion encodings, as a loss: beyond the paper.

Eq. 6 compares encodings with the voice through one learnt layer. It is content once motion
encodings do not resemble the voice through that layer, and another linear reader, such as
`probe-emotion`'s, still finds the emotion in them. A vector from which no linear reader tells
anything of another one is a vector that is not correlated with it (Belrose et al., LEACE, 2023):
so here the correlations themselves are made small, and no reader needs to be trained.
"""

import torch
from torch import Tensor, nn

MEMORY = 0.99  # of the running means, each step: longer, and they tell of encodings long gone
RIDGE = 1e-3  # of the mean variance: chances that add up to 1 have no inverse


class Traces(nn.Module):
    """Mean squared canonical correlation, 0 to 1, of motion encodings and emotion features.

    Its means are running ones, for a batch is a few lines in a few emotions.
    """

    moments: Tensor

    def __init__(self, encoding: int, features: int) -> None:
        super().__init__()
        self.encoding, self.features = encoding, features
        # Of (1, z, e): sums of products from which all means and covariances come.
        size = 1 + encoding + features
        self.register_buffer("moments", torch.zeros(size, size))

    def forward(self, voice: Tensor, motion: Tensor, present: Tensor) -> Tensor:
        """Of voices (B, T, K) and encodings (B, T, N, C), over the frames present (B, T).

        Its gradient moves encodings against what the best linear reader says of them.
        """
        rows = torch.cat([motion.flatten(2)[present], voice[present]], dim=1)
        self._remember(rows.detach())
        mean, reader = self._reader()
        encodings, features = torch.split(rows - mean, [self.encoding, self.features], dim=1)
        return torch.relu(((encodings @ reader) * features).mean(0)).mean()

    @torch.no_grad()
    def _remember(self, rows: Tensor) -> None:
        rows = torch.cat([torch.ones_like(rows[:, :1]), rows], dim=1)
        self.moments.lerp_(rows.T @ rows / max(1, len(rows)), 1 - MEMORY)

    @torch.no_grad()
    def _reader(self) -> tuple[Tensor, Tensor]:
        """The rows' mean (D + K,), and what reads an encoding (D, K) in units of its covariance.

        That is S_zz^-1 S_ze S_ee^-1: the product with the features is, in the mean, the sum of
        squared canonical correlations.
        """
        moments = self.moments / self.moments[0, 0].clamp(min=1e-12)
        mean = moments[0, 1:]
        spread = moments[1:, 1:] - mean[:, None] * mean
        own, both, theirs = (spread[: self.encoding, : self.encoding],
                             spread[: self.encoding, self.encoding :],
                             spread[self.encoding :, self.encoding :])  # fmt: skip
        read = torch.linalg.solve(_ridged(own), both)
        return mean, torch.linalg.solve(_ridged(theirs), read.T).T


def _ridged(covariance: Tensor) -> Tensor:
    lift = RIDGE * covariance.diagonal().mean() + 1e-8
    return covariance + lift * torch.eye(len(covariance), device=covariance.device)
