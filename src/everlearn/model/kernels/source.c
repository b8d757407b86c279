/* Arrays of bf16 and fp32 in, the element-wise parts of a transformer out, each in one pass over memory.

   Matrix products are left to torch. What stands between them takes torch many passes, and on a CPU with matrix units
   these passes take longer than the products. All arithmetic is fp32; what torch would round to bf16 in between is
   rounded here, so that both agree. Each output is written by one thread, in a fixed order. */

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t bf16;
typedef int64_t size;

#define LANES 32                /* bf16 numbers in a vector of 64 bytes */
#define MINUS_INFINITY 0xff80   /* as bf16 */
#define PARTS 32                /* of a sum, whatever the number of threads: it shall come to the same */
#define SMALL 16384 /* elements below which one thread is faster than two */

static inline float widen(bf16 narrow) {
    union { uint32_t bits; float value; } both = {(uint32_t)narrow << 16};
    return both.value;
}

static inline bf16 round_to_bf16(float value) {
    union { float value; uint32_t bits; } both = {value};
    return (bf16)((both.bits + 0x7fff + ((both.bits >> 16) & 1)) >> 16);
}

/* e^x to a few millionths (sums may be reordered, see FLAGS); 0 below -88, infinity from 88.4 on. NaN falls through the
   comparisons. */
static inline float exponential(float x) {
    x = x < -88.0f ? -88.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float whole = rintf(x * 1.44269504f);
    float rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    float power = 1.9875691500e-4f;
    power = power * rest + 1.3981999507e-3f;
    power = power * rest + 8.3334519073e-3f;
    power = power * rest + 4.1665795894e-2f;
    power = power * rest + 1.6666665459e-1f;
    power = power * rest + 5.0000001201e-1f;
    power = power * rest * rest + rest + 1.0f;
    union { int32_t bits; float value; } scale = {((int32_t)whole + 127) << 23};
    return power * scale.value;
}

/* y = weight * x / sqrt(mean(x^2) + epsilon), for each row; keeps 1 / sqrt(...) for the way back. */
void rms_norm(const bf16 *x, const bf16 *weight, bf16 *y, float *scales, size rows, size width, float epsilon) {
#pragma omp parallel for schedule(static) if (rows * width > SMALL)
    for (size row = 0; row < rows; row++) {
        const bf16 *in = x + row * width;
        bf16 *out = y + row * width;
        float squares = 0;
        for (size i = 0; i < width; i++) squares += widen(in[i]) * widen(in[i]);
        float scale = scales[row] = 1.0f / sqrtf(squares / width + epsilon);
        for (size i = 0; i < width; i++)
            out[i] = round_to_bf16(widen(weight[i]) * widen(round_to_bf16(widen(in[i]) * scale)));
    }
}

/* Gradients of x and, where `of_weight` is not NULL, of the weight. */
void rms_norm_backward(const bf16 *of_y, const bf16 *x, const bf16 *weight, const float *scales, bf16 *of_x,
                       float *of_weight, size rows, size width) {
    float *sums = of_weight ? calloc(PARTS * width, sizeof(float)) : NULL;
#pragma omp parallel for schedule(static) if (rows * width > SMALL)
    for (size part = 0; part < PARTS; part++) {
        float *sum = sums + (sums ? part * width : 0);
        for (size row = rows * part / PARTS; row < rows * (part + 1) / PARTS; row++) {
            const bf16 *in = x + row * width, *given = of_y + row * width;
            bf16 *out = of_x + row * width;
            float scale = scales[row], along = 0;
            for (size i = 0; i < width; i++) along += widen(given[i]) * widen(weight[i]) * widen(in[i]);
            along *= scale * scale / width;
            for (size i = 0; i < width; i++)
                out[i] = round_to_bf16(scale * (widen(given[i]) * widen(weight[i]) - along * widen(in[i])));
            if (sums)
                for (size i = 0; i < width; i++) sum[i] += widen(given[i]) * widen(in[i]) * scale;
        }
    }
    if (!sums) return;
    for (size part = 0; part < PARTS; part++)
        for (size i = 0; i < width; i++) of_weight[i] = (part ? of_weight[i] : 0) + sums[part * width + i];
    free(sums);
}

/* y = silu(gate) * up */
void gated(const bf16 *gate, const bf16 *up, bf16 *y, size count) {
#pragma omp parallel for schedule(static) if (count > SMALL)
    for (size i = 0; i < count; i++) {
        float g = widen(gate[i]);
        y[i] = round_to_bf16(widen(round_to_bf16(g / (1.0f + exponential(-g)))) * widen(up[i]));
    }
}

void gated_backward(const bf16 *of_y, const bf16 *gate, const bf16 *up, bf16 *of_gate, bf16 *of_up, size count) {
#pragma omp parallel for schedule(static) if (count > SMALL)
    for (size i = 0; i < count; i++) {
        float g = widen(gate[i]), given = widen(of_y[i]);
        float share = 1.0f / (1.0f + exponential(-g));
        of_gate[i] = round_to_bf16(given * widen(up[i]) * share * (1.0f + g * (1.0f - share)));
        of_up[i] = round_to_bf16(given * g * share);
    }
}

/* Rotary position embedding: halves of each head are turned by the token's angles, backwards if `sign` is -1. */
void rotate(const bf16 *x, const bf16 *cosines, const bf16 *sines, bf16 *y, size tokens, size heads, size width,
            float sign) {
    size half = width / 2;
#pragma omp parallel for schedule(static) if (tokens * heads * width > SMALL)
    for (size token = 0; token < tokens; token++)
        for (size head = 0; head < heads; head++) {
            const bf16 *restrict in = x + (token * heads + head) * width;
            const bf16 *restrict c = cosines + token * width, *restrict s = sines + token * width;
            bf16 *restrict out = y + (token * heads + head) * width;
#pragma omp simd simdlen(16) /* small heads fill no longer vectors */
            for (size i = 0; i < half; i++) {
                float first = widen(in[i]), second = widen(in[i + half]), turn = sign * widen(s[i]);
                out[i] = round_to_bf16(first * widen(c[i]) - second * turn);
                out[i + half] = round_to_bf16(second * widen(c[i]) + first * turn);
            }
        }
}

/* One row times weights whose rows lie behind one another. Every weight is read once; a product by matrix units, which
   are made for many rows, takes 1.3 to 3.5 times as long. */
void multiply_row(const bf16 *x, const bf16 *weight, bf16 *y, size inputs, size outputs) {
    float *wide = malloc(inputs * sizeof(float));
    for (size i = 0; i < inputs; i++) wide[i] = widen(x[i]);
#pragma omp parallel for schedule(static) if (inputs * outputs > SMALL)
    for (size o = 0; o < outputs; o++) {
        const bf16 *row = weight + o * inputs;
        float sum = 0;
        for (size i = 0; i < inputs; i++) sum += wide[i] * widen(row[i]);
        y[o] = round_to_bf16(sum);
    }
    free(wide);
}

typedef uint16_t eight __attribute__((vector_size(16)));

/* 8 rows of 8 numbers to 8 columns: three times the first half of the rows is interleaved with the second. */
static inline void turn_block(const bf16 *x, size width, bf16 *y, size height) {
    eight rows[8], mixed[8];
    for (int i = 0; i < 8; i++) memcpy(&rows[i], x + i * width, sizeof(eight));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            mixed[2 * i] = __builtin_shufflevector(rows[i], rows[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
            mixed[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(rows, mixed, sizeof(rows));
    }
    for (int i = 0; i < 8; i++) memcpy(y + i * height, &rows[i], sizeof(eight));
}

/* Rows to columns, in strips of whole cache lines. */
void transpose(const bf16 *x, bf16 *y, size height, size width) {
    size whole = height / 8 * 8;
#pragma omp parallel for schedule(static) if (height * width > SMALL)
    for (size strip = 0; strip < width; strip += LANES) {
        size end = strip + LANES < width ? strip + LANES : width;
        for (size row = 0; row < whole; row += 8) {
            size column = strip;
            for (; column + 8 <= end; column += 8)
                turn_block(x + row * width + column, width, y + column * height + row, height);
            for (; column < end; column++)
                for (size i = row; i < row + 8; i++) y[column * height + i] = x[i * width + column];
        }
        for (size row = whole; row < height; row++)
            for (size column = strip; column < end; column++) y[column * height + row] = x[row * width + column];
    }
}

/* Heads of chosen tokens: from (tokens, heads, width) to (rows, heads, places, width); zeros where the token is -1. */
void take_heads(const bf16 *x, const int32_t *tokens, bf16 *y, size rows, size places, size heads, size width) {
#pragma omp parallel for schedule(static) collapse(2) if (rows * places * heads * width > SMALL)
    for (size row = 0; row < rows; row++)
        for (size head = 0; head < heads; head++)
            for (size place = 0; place < places; place++) {
                int32_t token = tokens[row * places + place];
                bf16 *out = y + ((row * heads + head) * places + place) * width;
                if (token < 0) memset(out, 0, width * sizeof(bf16));
                else memcpy(out, x + (token * heads + head) * width, width * sizeof(bf16));
            }
}

/* The way back, where each token stands in one place only. */
void give_heads(const bf16 *x, const int32_t *tokens, bf16 *y, size rows, size places, size heads, size width) {
#pragma omp parallel for schedule(static) collapse(2) if (rows * places * heads * width > SMALL)
    for (size row = 0; row < rows; row++)
        for (size head = 0; head < heads; head++)
            for (size place = 0; place < places; place++) {
                int32_t token = tokens[row * places + place];
                if (token >= 0)
                    memcpy(y + (token * heads + head) * width, x + ((row * heads + head) * places + place) * width,
                           width * sizeof(bf16));
            }
}

/* The way back where a token may stand in many rows: sums in fp32. */
void add_heads(const bf16 *x, const int32_t *tokens, float *y, size rows, size places, size heads, size width) {
    size parts = (width + LANES - 1) / LANES; /* there may be fewer heads than threads */
#pragma omp parallel for schedule(static) collapse(2) if (rows * places * heads * width > SMALL)
    for (size head = 0; head < heads; head++)
        for (size part = 0; part < parts; part++)
            for (size row = 0; row < rows; row++)
                for (size place = 0; place < places; place++) {
                    int32_t token = tokens[row * places + place];
                    if (token < 0) continue;
                    const bf16 *in = x + ((row * heads + head) * places + place) * width;
                    float *out = y + (token * heads + head) * width;
                    size end = (part + 1) * LANES < width ? (part + 1) * LANES : width;
                    for (size i = part * LANES; i < end; i++) out[i] += widen(in[i]);
                }
}

/* The largest of some numbers, by an order of their bits that integers can be compared in (loops over floats that may
   be NaN do not fill vectors). NaN is the largest of all, whatever its sign. */
static inline float largest(const bf16 *x, size count) {
    int16_t best = INT16_MIN, magnitude = 0;
    for (size i = 0; i < count; i++) {
        int16_t bits = (int16_t)x[i], key = bits ^ ((bits >> 15) & 0x7fff), size_of = bits & 0x7fff;
        best = key > best ? key : best;
        magnitude = size_of > magnitude ? size_of : magnitude;
    }
    return magnitude > 0x7f80 ? NAN : widen((bf16)(best ^ ((best >> 15) & 0x7fff)));
}

/* Where a number stands first; the last place where it stands nowhere. Looks through blocks, as a loop that may end at
   any number fills no vectors. */
static inline size place_of(float number, const bf16 *x, size count) {
    const size block = 1024;
    for (size begin = 0; begin < count; begin += block) {
        size end = begin + block < count ? begin + block : count;
        int here = 0;
        for (size i = begin; i < end; i++) here |= widen(x[i]) == number;
        if (!here) continue;
        while (widen(x[begin]) != number) begin++;
        return begin;
    }
    return count - 1;
}

/* A row of numbers in whole vectors, filled up: single numbers behind the last vector are slow. */
static inline size whole_vectors(size count) { return (count + LANES - 1) / LANES * LANES; }

static inline void copy_filled(bf16 *copy, const bf16 *x, size count, size whole, bf16 filling) {
    memcpy(copy, x, count * sizeof(bf16));
    for (size i = count; i < whole; i++) copy[i] = filling;
}

/* Softmax in place of a row of whole vectors. */
static inline void share_out(bf16 *here, size whole, float scaling) {
    float shares[whole], sum = 0, highest = largest(here, whole);
    for (size i = 0; i < whole; i++) shares[i] = exponential((widen(here[i]) - highest) * scaling);
    for (size i = 0; i < whole; i++) sum += shares[i];
    float part = 1.0f / sum;
    for (size i = 0; i < whole; i++) here[i] = round_to_bf16(shares[i] * part);
}

/* Causal softmax in place: of `queries` consecutive rows the first sees `seen` keys, each further one sees one more. */
void causal_softmax(bf16 *scores, size rows, size queries, size keys, size seen, float scaling) {
#pragma omp parallel for schedule(static) if (rows * keys > SMALL)
    for (size row = 0; row < rows; row++) {
        size visible = seen + row % queries;
        if (visible > keys) visible = keys;
        size whole = whole_vectors(visible);
        bf16 here[whole];
        copy_filled(here, scores + row * keys, visible, whole, MINUS_INFINITY);
        share_out(here, whole, scaling);
        memcpy(scores + row * keys, here, visible * sizeof(bf16));
        memset(scores + row * keys + visible, 0, (keys - visible) * sizeof(bf16));
    }
}

/* The same where a row's keys are in two places: a start that all rows see, with scores (heads, rows, queries, starts),
   and the rows' own, with scores (rows, heads, queries, keys). The first query sees `seen` of these. */
void softmax_behind(bf16 *of_start, bf16 *of_own, size rows, size heads, size queries, size starts, size keys,
                    size seen, float scaling) {
#pragma omp parallel for schedule(static) collapse(3) if (rows * heads * queries * (starts + keys) > SMALL)
    for (size row = 0; row < rows; row++)
        for (size head = 0; head < heads; head++)
            for (size query = 0; query < queries; query++) {
                bf16 *start = of_start + ((head * rows + row) * queries + query) * starts;
                bf16 *own = of_own + ((row * heads + head) * queries + query) * keys;
                size visible = seen + query < keys ? seen + query : keys, whole = whole_vectors(starts + visible);
                bf16 here[whole];
                memcpy(here, start, starts * sizeof(bf16));
                copy_filled(here + starts, own, visible, whole - starts, MINUS_INFINITY);
                share_out(here, whole, scaling);
                memcpy(start, here, starts * sizeof(bf16));
                memcpy(own, here + starts, visible * sizeof(bf16));
                memset(own + visible, 0, (keys - visible) * sizeof(bf16));
            }
}

/* Put back where the tokens are what comes of a start (heads, rows, places, width) and of the rows' own keys (rows,
   heads, places, width), added up. */
void give_sums(const bf16 *of_start, const bf16 *of_own, const int32_t *tokens, bf16 *y, size rows, size places,
               size heads, size width) {
#pragma omp parallel for schedule(static) collapse(2) if (rows * places * heads * width > SMALL)
    for (size row = 0; row < rows; row++)
        for (size place = 0; place < places; place++) {
            int32_t token = tokens[row * places + place];
            if (token < 0) continue;
            for (size head = 0; head < heads; head++) {
                const bf16 *start = of_start + ((head * rows + row) * places + place) * width;
                const bf16 *own = of_own + ((row * heads + head) * places + place) * width;
                bf16 *out = y + (token * heads + head) * width;
                for (size i = 0; i < width; i++) out[i] = round_to_bf16(widen(start[i]) + widen(own[i]));
            }
        }
}

/* Gradient of the scores, in place of the gradient of the shares. */
void softmax_backward(const bf16 *shares, bf16 *of_shares, size rows, size keys, float scaling) {
    size whole = whole_vectors(keys);
#pragma omp parallel for schedule(static) if (rows * keys > SMALL)
    for (size row = 0; row < rows; row++) {
        bf16 share[whole], given[whole];
        float along = 0;
        copy_filled(share, shares + row * keys, keys, whole, 0);
        copy_filled(given, of_shares + row * keys, keys, whole, 0);
        for (size i = 0; i < whole; i++) along += widen(share[i]) * widen(given[i]);
        for (size i = 0; i < whole; i++)
            given[i] = round_to_bf16(scaling * widen(share[i]) * (widen(given[i]) - along));
        memcpy(of_shares + row * keys, given, keys * sizeof(bf16));
    }
}

/* Attention of one new token in each row: to `start` keys that all rows share, then to the row's own from `first` on.
   Shared keys are (groups, start, width), own ones (rows, groups, capacity, width), of which `own` are filled. */
void attend_newest(const bf16 *query, const bf16 *start_keys, const bf16 *start_values, const bf16 *keys,
                   const bf16 *values, const int32_t *first, bf16 *mixed, size rows, size heads, size groups,
                   size width, size start, size own, size capacity, float scaling) {
#pragma omp parallel for schedule(static) collapse(2)
    for (size row = 0; row < rows; row++)
        for (size head = 0; head < heads; head++) {
            size group = head * groups / heads, begin = first[row], count = start + own - begin;
            const bf16 *sought = query + (row * heads + head) * width;
            const bf16 *shared = start_keys + group * start * width;
            const bf16 *mine = keys + (row * groups + group) * capacity * width;
            const bf16 *shared_said = start_values + group * start * width;
            const bf16 *said = values + (row * groups + group) * capacity * width;
            float asked[width], sum[width], shares[count], highest = -INFINITY, total = 0;
            for (size i = 0; i < width; i++) asked[i] = widen(sought[i]) * scaling;
            for (size key = 0; key < count; key++) {
                const bf16 *here = key < start ? shared + key * width : mine + (begin + key - start) * width;
                float score = 0;
                for (size i = 0; i < width; i++) score += asked[i] * widen(here[i]);
                shares[key] = score;
                highest = score > highest ? score : highest;
            }
            for (size key = 0; key < count; key++) shares[key] = exponential(shares[key] - highest);
            for (size key = 0; key < count; key++) total += shares[key];
            for (size i = 0; i < width; i++) sum[i] = 0;
            for (size key = 0; key < count; key++) {
                const bf16 *here = key < start ? shared_said + key * width : said + (begin + key - start) * width;
                for (size i = 0; i < width; i++) sum[i] += shares[key] * widen(here[i]);
            }
            for (size i = 0; i < width; i++) mixed[(row * heads + head) * width + i] = round_to_bf16(sum[i] / total);
        }
}

/* Of each row of logits: the log of the sum of exponentials, the largest logit, the largest of the others, and which
   the largest is. */
void survey(const bf16 *logits, float *normaliser, float *first, float *second, int64_t *which, size rows,
            size vocabulary) {
#pragma omp parallel for schedule(static) if (rows * vocabulary > SMALL)
    for (size row = 0; row < rows; row++) {
        const bf16 *here = logits + row * vocabulary;
        float sum = 0, best = largest(here, vocabulary);
        size at = place_of(best, here, vocabulary);
        float before = at ? largest(here, at) : -INFINITY;
        float behind = at + 1 < vocabulary ? largest(here + at + 1, vocabulary - at - 1) : -INFINITY;
        for (size i = 0; i < vocabulary; i++) sum += exponential(widen(here[i]) - best);
        normaliser[row] = best + logf(sum);
        first[row] = best;
        second[row] = before > behind ? before : behind;
        which[row] = at;
    }
}

/* The place of the largest of each row of logits, the first of equals. */
void most_likely(const bf16 *logits, int64_t *which, size rows, size vocabulary) {
#pragma omp parallel for schedule(static) if (rows * vocabulary > SMALL)
    for (size row = 0; row < rows; row++) {
        const bf16 *here = logits + row * vocabulary;
        which[row] = place_of(largest(here, vocabulary), here, vocabulary);
    }
}

/* Gradient of logits from that of the log-probabilities of some of them (`chosen` a row). */
void chosen_backward(const bf16 *logits, const float *normaliser, const int64_t *ids, const float *of_chosen,
                     bf16 *of_logits, size rows, size vocabulary, size chosen) {
#pragma omp parallel for schedule(static) if (rows * vocabulary > SMALL)
    for (size row = 0; row < rows; row++) {
        const bf16 *here = logits + row * vocabulary;
        const float *given = of_chosen + row * chosen;
        bf16 *out = of_logits + row * vocabulary;
        float all = 0;
        for (size k = 0; k < chosen; k++) all += given[k];
        for (size i = 0; i < vocabulary; i++)
            out[i] = round_to_bf16(-all * exponential(widen(here[i]) - normaliser[row]));
        for (size k = 0; k < chosen; k++) {
            size id = ids[row * chosen + k];
            out[id] = round_to_bf16(given[k] - all * exponential(widen(here[id]) - normaliser[row]));
        }
    }
}

/* AdamW. A master is a weight and the 16 bits that rounding took from it; moments are rounded when they are put
   away. */
void adamw(bf16 *weights, int16_t *rests, const bf16 *gradients, bf16 *means, bf16 *squares, size count, float rate,
           float decay, float beta1, float beta2, float epsilon, float step, float scale) {
    float first = rate / (1.0f - powf(beta1, step)), root = 1.0f / sqrtf(1.0f - powf(beta2, step));
#pragma omp parallel for schedule(static) if (count > SMALL)
    for (size i = 0; i < count; i++) {
        float g = widen(gradients[i]) * scale;
        float mean = beta1 * widen(means[i]) + (1.0f - beta1) * g;
        float square = beta2 * widen(squares[i]) + (1.0f - beta2) * g * g;
        union { uint32_t bits; float value; } master = {((uint32_t)weights[i] << 16) + (uint32_t)(int32_t)rests[i]};
        master.value = master.value * (1.0f - rate * decay) - first * mean / (sqrtf(square) * root + epsilon);
        uint32_t upper = (master.bits + 0x8000) >> 16;
        weights[i] = (bf16)upper;
        rests[i] = (int16_t)(master.bits - (upper << 16));
        means[i] = round_to_bf16(mean);
        squares[i] = round_to_bf16(square);
    }
}

/* Sum of squares of bf16 numbers. */
double sum_of_squares(const bf16 *x, size count) {
    size block = 1 << 16, blocks = (count + block - 1) / block;
    double total = 0, *sums = malloc(blocks * sizeof(double));
#pragma omp parallel for schedule(static) if (count > SMALL)
    for (size number = 0; number < blocks; number++) {
        size last = (number + 1) * block < count ? (number + 1) * block : count;
        sums[number] = 0;
        for (size begin = number * block; begin < last; begin += 4096) {
            size end = begin + 4096 < last ? begin + 4096 : last;
            float sum = 0;
            for (size i = begin; i < end; i++) sum += widen(x[i]) * widen(x[i]);
            sums[number] += sum;
        }
    }
    for (size number = 0; number < blocks; number++) total += sums[number];
    free(sums);
    return total;
}
