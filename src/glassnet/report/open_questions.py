"""The questions that the report left open, answered from the runs that repeat it, in English and in Chinese."""

from __future__ import annotations

from typing import NamedTuple

from glassnet.report.text import Text
from glassnet.report.words import Words
from glassnet.study.design import BASE
from glassnet.study.independence import CANNOT_BE_TOLD, INTERACT, Independence
from glassnet.study.seed_report import BEST_PLAN, PRINTED_CONSTANT, SOUND, TANH, TEST_LOSSES, Facts, Typical
from glassnet.study.statistics import BETTER, WORSE, Comparison


class Answer(NamedTuple):
    """A question and what the runs say to it."""

    question: str
    text: str


TEXTS = {
    "relu": Text(
        "Why do ReLU and ReLU3 fall into a dead loop: the data, or a fault in the algorithm?",
        "为什么 ReLU 和 ReLU3 会陷入死循环：是数据的问题，还是算法有错？",
    ),
    "relu_answer": Text(
        "Neither: it is the start, and the step. {cause} Found in our runs: {kinds}. With the same data and the same "
        "gradient, but the start and the learning rate that the diagnosis advises, ReLU reaches a loss of {loss} and "
        "a test accuracy of {accuracy}.",
        "都不是：问题在初始值和步长。在我们的运行中诊断出：{kinds}。数据和梯度不变，只按诊断建议更换初始化和学习率，"
        "ReLU 的损失即降到 {loss}，测试准确率 {accuracy}。",
    ),
    "constant": Text(
        "What does the printed loss of 6009.0 in every epoch mean?",
        "每一轮的损失都是 6009.0，这意味着什么？",
    ),
    "constant_answer": Text(
        "A constant answer c costs 1/2 Σ(y - c)² exactly. On the 600 images {printed:.1f} is what c = {theirs:.3f} "
        "costs: the printed network says 1 to every image. Ours says {ours:.3f}, which costs {loss}. The best constant answer, "
        "the mean class number, would cost {best:.1f}. Where the report's 1 comes from cannot be told from it.",
        "恒定输出 c 的损失恰为 1/2 Σ(y - c)²。在这 600 张图上，{printed:.1f} 正是 c = {theirs:.3f} 的损失：报告中的网络对每张图都回答 1。"
        "我们的网络回答 {ours:.3f}，损失为 {loss}。最佳恒定回答（类别号的平均值）的损失为 {best:.1f}。报告中的 1 从何而来，无法由报告得知。",
    ),
    "tanh": Text("Does tanh converge at a smaller learning rate?", "学习率更小时，tanh 会收敛吗？"),
    "tanh_answer": Text(
        "No. At the learning rates {rates} our losses end at {losses}, all above the {best:.1f} of the best constant "
        "answer. {cause} With another start and the rate that suits it, tanh reaches {loss} and a test accuracy of {accuracy}.",
        "不会。学习率为 {rates} 时，我们的损失分别停在 {losses}，都高于最佳恒定回答的 {best:.1f}。"
        "原因是单元一开始就饱和。换用合适的初始化和学习率后，tanh 的损失降到 {loss}，测试准确率 {accuracy}。",
    ),
    "independent": Text(
        "Are optimizer, activation and network independent of each other?",
        "优化器、激活函数和网络结构这三个因素相互独立吗？",
    ),
    "interact": Text(
        "No, they interact (analysis of variance of validation accuracy over all combinations; p by Holm): {found}. "
        "The best level of each by itself is {levels}, with an accuracy of {got:.3f}; the best combination is {best}, with {most:.3f}.",
        "不独立，它们有交互作用（对所有组合的验证准确率做方差分析，p 值经 Holm 校正）：{found}。"
        "分别取各因素的最佳水平得到 {levels}，准确率 {got:.3f}；最佳组合是 {best}，准确率 {most:.3f}。",
    ),
    "no_interaction": Text(
        "No interaction was found over all combinations ({found}), which is no proof that there is none. The best level of each "
        "by itself is {levels}, with a validation accuracy of {got:.3f}; the best combination is {best}, with {most:.3f}.",
        "在所有组合中没有发现交互作用（{found}），但这不能证明没有。分别取各因素的最佳水平得到 {levels}，验证准确率 {got:.3f}；"
        "最佳组合是 {best}，准确率 {most:.3f}。",
    ),
    "untold": Text(
        "It cannot be told: {missing} runs of the factorial are missing.", "无法判断：缺少 {missing} 次析因运行。"
    ),
    "one_seed": Text(
        "Is one run with one seed enough to rank the networks and the optimizers?",
        "每种设置只运行一次、只用一个种子，足以给网络和优化器排名吗？",
    ),
    "one_seed_answer": Text(
        "Differences in test accuracy to [784, 256, 128, 1] with GD, over {n} seeds, p by Holm: {found}.",
        "与 GD 训练的 [784, 256, 128, 1] 相比，{n} 个种子上测试准确率之差（p 值经 Holm 校正）：{found}。",
    ),
    "difference": Text("{name} {difference:+.3f} ({verdict}{p})", "{name} {difference:+.3f}（{verdict}{p}）"),
    BETTER: Text("better", "更好"),
    WORSE: Text("worse", "更差"),
    "unclear": Text("not distinguishable", "无法区分"),
    "plan": Text(
        "Is its best plan, Adam on [784, 256, 128, 1] with sigmoid, the best?",
        "报告的最佳方案（[784, 256, 128, 1]、sigmoid、Adam）真是最佳吗？",
    ),
    "plan_answer": Text(
        "With its settings Adam ends at a test accuracy of {adam} in our runs{kinds}; GD at {gd}. A usual setup, softmax "
        "and cross-entropy, ReLU from he_normal, Adam at 0.001 on all 60,000 images in steps of 128, reaches {sound} "
        "in {seconds:.0f} s, where GD takes {gd_seconds:.0f} s and the Adam of the report {adam_seconds:.0f} s.",
        "按其设置，Adam 在我们的运行中测试准确率为 {adam}{kinds}，GD 为 {gd}。常规设置（softmax 加交叉熵、he_normal 初始化的 ReLU、"
        "学习率 0.001 的 Adam、全部 60,000 张图、每步 128 张）用 {seconds:.0f} 秒达到 {sound}，而 GD 用 {gd_seconds:.0f} 秒，报告的 Adam 用 {adam_seconds:.0f} 秒。",
    ),
    "test_loss": Text("What are the printed test losses of 100 images?", "报告中 100 张图的测试损失是什么？"),
    "test_loss_answer": Text(
        "They are the training losses of one epoch more: {found}. On 100 test images ours cost {ours} on average.",
        "它们其实是再训练一轮后的训练损失：{found}。我们的网络在 100 张测试图上的平均损失为 {ours}。",
    ),
    "continued": Text(
        "{printed} where the printed training losses lead to {next:.1f}",
        "报告为 {printed}，而训练损失的走势给出 {next:.1f}",
    ),
    "and_so": Text("; ", "；"),
    "x": Text("{names} (p = {p}, {share:.0%} of the variance)", "{names}（p = {p}，占方差 {share:.0%}）"),
}


def open_questions(found: Facts, together: Independence, words: Words) -> list[Answer]:
    """Answer each question that the report left open, with the evidence.

    Parameters
    ----------
    found : Facts
        From `glassnet.study.seed_report.facts`.
    together : Independence
        Of the study ``seed-report-factors``.
    words : Words
        In the reader's language.
    """
    say = _Say(words)
    typical = found.typical
    relu, mended, tanh = typical["ReLU"], typical["ReLU, remedied"], typical["tanh, remedied"]
    plan, sound, base = typical[BEST_PLAN], typical[SOUND], typical[BASE]
    kinds = [*relu.kinds, *typical["ReLU3"].kinds]
    answers = {
        "relu": say("relu_answer", cause=_sentence(relu.cause), kinds=_kinds(kinds, words), **_reached(mended)),
        "constant": say(
            "constant_answer", printed=PRINTED_CONSTANT, theirs=_or_nan(found.printed_answer),
            ours=_or_nan(found.our_answer), loss=_loss(relu.train_loss), best=found.constant_loss,
        ),
        "tanh": say(
            "tanh_answer", rates="0.1, 0.01, 0.001, 0.0001",
            losses=", ".join(_loss(typical[name].train_loss) for name in TANH),
            best=found.constant_loss, cause=_sentence(typical["tanh"].cause), **_reached(tanh),
        ),
        "independent": _independent(together, say),
        "one_seed": _one_seed([*found.networks, *found.optimizers], say),
        "plan": say(
            "plan_answer", adam=_share(plan.test_accuracy), gd=_share(base.test_accuracy),
            kinds=f" ({_kinds(plan.kinds, words)})" if plan.kinds else "", sound=_share(sound.test_accuracy),
            seconds=sound.seconds, gd_seconds=base.seconds, adam_seconds=plan.seconds,
        ),
        "test_loss": say(
            "test_loss_answer",
            found=say("and_so").join(
                say("continued", printed=TEST_LOSSES[name][0], next=value) for name, value in found.continued.items()
            ),
            ours=", ".join(f"{value:.1f}" for value in found.test_loss.values()),
        ),
    }  # fmt: skip
    return [Answer(say(question), text) for question, text in answers.items()]


class _Say:
    """Says a text of this module in the reader's language."""

    def __init__(self, words: Words) -> None:
        self.english = words.language == "en"

    def __call__(self, key: str, **values: object) -> str:
        text = TEXTS[key]
        return (text.en if self.english else text.zh).format(**values)


def _reached(one: Typical) -> dict[str, str]:
    return {"loss": _loss(one.train_loss), "accuracy": _share(one.test_accuracy)}


def _independent(together: Independence, say: _Say) -> str:
    if together.verdict == CANNOT_BE_TOLD or together.additive is None:
        return say("untold", missing=len(together.missing))
    parts = [
        say("x", names=one.name, p=_p(one.corrected), share=one.share)
        for one in together.sources
        if one.kind == "interaction"
    ]
    add = together.additive
    key = "interact" if together.verdict == INTERACT else "no_interaction"
    return say(
        key,
        found=say("and_so").join(parts),
        levels=", ".join(add.levels.values()),
        got=add.found,
        best=", ".join(add.best_levels.values()),
        most=add.best,
    )


def _one_seed(comparisons: list[Comparison], say: _Say) -> str:
    parts = []
    for one in comparisons:
        verdict = say(one.verdict) if one.verdict in (BETTER, WORSE) else say("unclear")
        p = "" if one.corrected is None else f", p = {_p(one.corrected)}"
        parts.append(say("difference", name=one.variant, difference=one.difference or 0.0, verdict=verdict, p=p))
    return say(
        "one_seed_answer",
        n=max((len(one.seeds) for one in comparisons), default=0),
        found=say("and_so").join(parts),
    )


def _kinds(kinds: list[str] | tuple[str, ...], words: Words) -> str:
    return words.say("and").join(words.kind(kind) for kind in dict.fromkeys(kinds))


def _sentence(cause: str) -> str:
    return f"{cause[:1].upper()}{cause[1:]}." if cause else ""


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
