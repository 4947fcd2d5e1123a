/* {{ comment }}

   Weights: {{ "{:,}".format(weight_bytes) }} bytes. Scratch on the stack: {{ "{:,}".format(scratch_bytes) }} bytes. A row takes {{ "{:,}".format(model.multiply_adds) }} multiply-adds. */
#ifndef {{ P }}_H
#define {{ P }}_H

#include <math.h>
{% if int8 %}
#include <stdint.h>
{% endif %}

#define {{ P }}_INPUTS {{ rows.size }}
#define {{ P }}_OUTPUTS {{ n_outputs }}

{% for table in tables %}
{{ table }}

{% endfor %}
{% for function in functions %}
{{ function }}

{% endfor %}
/* The sum of a unit's weights times its inputs. */
static inline {{ "int32_t" if int8 else "float" }} {{ p }}_dot(const {{ value }} *weights, const {{ value }} *x, int n)
{
    {{ "int32_t" if int8 else "float" }} sum = 0;
    for (int i = 0; i < n; i++)
        sum += {{ "(int32_t)" if int8 }}weights[i] * x[i];
    return sum;
}

{% if model.output == "softmax" %}
/* exp(z) / sum of exp(z), with the largest z taken off first, so that nothing overflows. */
static inline void {{ p }}_softmax(float *z)
{
    float largest = z[0], sum = 0.0f;
    for (int j = 1; j < {{ P }}_OUTPUTS; j++)
        if (z[j] > largest)
            largest = z[j];
    for (int j = 0; j < {{ P }}_OUTPUTS; j++)
        sum += z[j] = expf(z[j] - largest);
    for (int j = 0; j < {{ P }}_OUTPUTS; j++)
        z[j] /= sum;
}

{% endif %}
{% if model.answer.kind == "class" and n_outputs > 1 %}
/* The place of the largest output, -1 if one is NAN. */
static inline int {{ p }}_choose(const float *outputs)
{
    int best = 0;
    for (int j = 0; j < {{ P }}_OUTPUTS; j++) {
        if (outputs[j] != outputs[j])
            return -1;
        if (outputs[j] > outputs[best])
            best = j;
    }
    return best;
}

{% endif %}
{% if rows.refuses %}
/* A row that lacks a number has no answer. */
static inline int {{ p }}_refuse(float *outputs)
{
    for (int j = 0; j < {{ P }}_OUTPUTS; j++)
        outputs[j] = NAN;
    return -1;
}

{% endif %}
static inline int {{ p }}_predict(const {{ rows.kind }} *row, float *outputs)
{
{% for line in body %}
    {{ line }}
{% endfor %}
}

#endif
