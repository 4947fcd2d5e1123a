"""The questions that the report left open, and the sentences that answer them, in both languages."""

from __future__ import annotations

from glassnet.report.text import Text

QUESTION_TEXTS = {
    "q_relu": Text(
        "Why do ReLU and ReLU3 fall into a dead loop: the data, or a fault in the algorithm?",
        "为什么 ReLU 和 ReLU3 会陷入死循环：是数据的问题，还是算法有错？",
    ),
    "q_relu_start": Text(
        "Neither: it is the start, and the step. {cause} Found in our runs: {kinds}. With the same data and the "
        "same gradient, but the start and the learning rate that the diagnosis advises, ReLU reaches a loss of "
        "{loss} and a test accuracy of {accuracy}.",
        "都不是：问题在初始值和步长。{cause}在我们的运行中诊断出：{kinds}。数据和梯度不变，只按诊断建议更换初始"
        "化和学习率，ReLU 的损失即降到 {loss}，测试准确率 {accuracy}。",
    ),
    "q_relu_untold": Text(
        "These runs do not tell: with another start and learning rate ReLU ends at a loss of {loss}, no better "
        "than a constant answer. Found in our runs: {kinds}. {cause}",
        "这些运行无法说明：更换初始化和学习率后，ReLU 的损失为 {loss}，并不优于恒定输出。在我们的运行中诊断出："
        "{kinds}。{cause}",
    ),
    "q_constant": Text(
        "What does the printed loss of 6009.0 in every epoch mean?", "每一轮的损失都是 6009.0，这意味着什么？"
    ),
    "q_constant_is": Text(
        "A constant answer c costs 1/2 Σ(y - c)² exactly. On the 600 images {printed:.1f} is what c = "
        "{theirs:.3f} costs: the printed network says the same to every image. The best constant answer, the "
        "mean class number, costs {best:,.1f}.",
        "恒定输出 c 的损失恰为 1/2 Σ(y - c)²。在这 600 张图上，{printed:.1f} 正是 c = {theirs:.3f} 的损失：报告"
        "中的网络对每张图的回答都一样。最佳恒定回答（类别号的平均值）的损失为 {best:,.1f}。",
    ),
    "q_constant_none": Text(
        "No constant answer costs {printed:.1f} on these images: the best, the mean class number, costs "
        "{best:,.1f}.",
        "在这些图上，没有哪个恒定回答的损失是 {printed:.1f}：最佳恒定回答（类别号的平均值）的损失为 {best:,.1f}。",
    ),
    "q_constant_ours": Text(
        " Ours all say {ours:.3f}, which costs {loss}. Why the report's says {theirs:.0f} and not {ours:.0f} "
        "cannot be told from what is printed.",
        "我们的网络都回答 {ours:.3f}，损失为 {loss}。报告中为何是 {theirs:.0f} 而不是 {ours:.0f}，无法由报告得"
        "知。",
    ),
    "q_constant_agrees": Text(
        " Ours all say {ours:.3f}, which costs {loss}.", "我们的网络也都回答 {ours:.3f}，损失为 {loss}。"
    ),
    "q_constant_not_ours": Text(
        " Ours do not all end with one constant answer; their mean loss is {loss}.",
        "我们的网络并非都停在同一个恒定回答上；它们的平均损失为 {loss}。",
    ),
    "q_tanh": Text("Does tanh converge at a smaller learning rate?", "学习率更小时，tanh 会收敛吗？"),
    "q_tanh_no": Text(
        "Not in 1,000 epochs: at the learning rates {rates} our losses end at {losses}, and the best constant "
        "answer costs {best:,.1f}. {cause} Found in our runs: {kinds}. With another start and the rate that "
        "suits it, tanh reaches {loss} and a test accuracy of {accuracy}.",
        "1000 轮内不会：学习率为 {rates} 时，我们的损失分别停在 {losses}，而最佳恒定回答的损失为 {best:,.1f}。"
        "{cause}在我们的运行中诊断出：{kinds}。换用合适的初始化和学习率后，tanh 的损失降到 {loss}，测试准确率 "
        "{accuracy}。",
    ),
    "q_tanh_yes": Text(
        "Yes: at the learning rates {rates} our losses end at {losses}; the best constant answer costs "
        "{best:,.1f}. With another start and the rate that suits it, tanh reaches {loss} and a test accuracy of "
        "{accuracy}.",
        "会：学习率为 {rates} 时，我们的损失分别停在 {losses}；最佳恒定回答的损失为 {best:,.1f}。换用合适的初始"
        "化和学习率后，tanh 的损失降到 {loss}，测试准确率 {accuracy}。",
    ),
    "q_independent": Text(
        "Are optimizer, activation and network independent of each other?",
        "优化器、激活函数和网络结构这三个因素相互独立吗？",
    ),
    "q_interact": Text(
        "No, they interact. Interactions in an analysis of variance of validation accuracy over all "
        "combinations, p by Holm: {found}. The best level of each by itself is {levels}, with an accuracy of "
        "{got:.3f}; the best combination is {best}, with {most:.3f}.",
        "不独立，它们有交互作用。对所有组合的验证准确率做方差分析，各交互作用（p 值经 Holm 校正）为：{found}。分"
        "别取各因素的最佳水平得到 {levels}，准确率 {got:.3f}；最佳组合是 {best}，准确率 {most:.3f}。",
    ),
    "q_no_interaction": Text(
        "No interaction was found over all combinations ({found}), which is no proof that there is none. The "
        "best level of each by itself is {levels}, with a validation accuracy of {got:.3f}; the best "
        "combination is {best}, with {most:.3f}.",
        "在所有组合中没有发现交互作用（{found}），但这不能证明没有。分别取各因素的最佳水平得到 {levels}，验证准"
        "确率 {got:.3f}；最佳组合是 {best}，准确率 {most:.3f}。",
    ),
    "q_untold": Text(
        "It cannot be told: the factorial lacks the result of {missing} of its runs.",
        "现有结果不足以判断：析因实验中有 {missing} 次运行没有结果。",
    ),
    "q_source": Text("{names} (p = {p}, {share:.0%} of the variance)", "{names}（p = {p}，占方差 {share:.0%}）"),
    "q_one_seed": Text(
        "Is one run with one seed enough to rank the networks and the optimizers?",
        "每种设置只运行一次、只用一个种子，足以给网络和优化器排名吗？",
    ),
    "q_one_seed_no": Text(
        "Not for all of them. Differences in test accuracy to [784, 256, 128, 1] with GD, over {n} seeds, p by "
        "Holm: {found}.",
        "并非都足以。与 GD 训练的 [784, 256, 128, 1] 相比，{n} 个种子上测试准确率之差（p 值经 Holm 校正）："
        "{found}。",
    ),
    "q_one_seed_yes": Text(
        "Here the differences in test accuracy to [784, 256, 128, 1] with GD are all more than chance, over {n} "
        "seeds, p by Holm: {found}.",
        "在这里，与 GD 训练的 [784, 256, 128, 1] 相比，{n} 个种子上测试准确率之差都超出偶然（p 值经 Holm 校"
        "正）：{found}。",
    ),
    "q_difference": Text("{name} {difference} ({verdict}, p = {p})", "{name} {difference}（{verdict}，p = {p}）"),
    "q_better": Text("better", "更好"),
    "q_worse": Text("worse", "更差"),
    "q_unclear": Text("not distinguishable", "无法区分"),
    "q_plan": Text(
        "Is its best plan, Adam on [784, 256, 128, 1] with sigmoid, the best? How far does a usual setup get?",
        "报告的最佳方案（[784, 256, 128, 1]、sigmoid、Adam）真是最佳吗？常规设置能达到什么水平？",
    ),
    "q_plan_is": Text(
        "{verdict} With its settings Adam ends at a test accuracy of {adam} in our runs{kinds}; GD at {gd}. A "
        "usual setup, softmax and cross-entropy, ReLU from he_normal, Adam at 0.001 on all 60,000 images in "
        "steps of 128, reaches {sound} in {seconds} s, where GD takes {gd_seconds} s and the Adam of the report "
        "{adam_seconds} s.",
        "{verdict}按其设置，Adam 在我们的运行中测试准确率为 {adam}{kinds}，GD 为 {gd}。常规设置（softmax 加交叉"
        "熵、he_normal 初始化的 ReLU、学习率 0.001 的 Adam、全部 60,000 张图、每步 128 张）用 {seconds} 秒达到 "
        "{sound}，而 GD 用 {gd_seconds} 秒，报告的 Adam 用 {adam_seconds} 秒。",
    ),
    "q_plan_no": Text("No.", "不是。"),
    "q_plan_yes": Text("None of these is better.", "这里没有更好的。"),
    "q_kinds": Text(" ({kinds})", "（{kinds}）"),
    "q_adam": Text("Which learning rate did its Adam have?", "报告中的 Adam 实际用的是什么学习率？"),
    "q_adam_is": Text(
        "On 6,000 images a loss of {loss} and a test accuracy of {accuracy} are printed. At 0.1, as it says, ours "
        "ends at {ours}{kinds}; with the step divided by the 784 pixels, as its GD has it, at {divided}, with a "
        "test "
        "accuracy of {reached}.",
        "报告中 6,000 张图上的损失为 {loss}，测试准确率为 {accuracy}。按其所写的学习率 0.1，我们的损失停在 "
        "{ours}{kinds}；"
        "若像其 GD 那样把步长再除以 784 个像素，则为 {divided}，测试准确率 {reached}。",
    ),
    "q_test_loss": Text("What are the printed test losses of 100 images?", "报告中 100 张图的测试损失是什么？"),
    "q_test_loss_is": Text(
        "To the rounding of what is printed they are the training losses, over 600 images, of one epoch more: "
        "{found}. On 100 test images ours cost {ours}, on average.",
        "在所列数字的舍入误差之内，它们就是再训练一轮后 600 张图上的训练损失：{found}。我们的网络在 100 张测试图"
        "上的平均损失为 {ours}。",
    ),
    "q_continued": Text(
        "{printed} is printed, and the last training losses lead to {next:.1f}",
        "报告为 {printed}，而最后的训练损失的走势给出 {next:.1f}",
    ),
    "and_so": Text("; ", "；"),
}
