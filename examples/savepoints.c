/* A parser that tries one way, and if that leads nowhere goes back and tries another: what it built is gone in one step.
 *
 *     cc -o savepoints savepoints.c -lloam_region && echo 'f(x, 2) = 3 * (x + 1) - -x' | ./savepoints
 *
 * Each line is a definition NAME(PARAMETER, ...) = EXPRESSION, or an assignment NAME = EXPRESSION, or an expression. Which
 * of them is seen only at the '=', so the parser tries them in this order. Nodes come from a bump region; a savepoint is
 * taken before each try. The tree is printed with all its brackets, and then the bytes that it takes. */
#include <ctype.h>
#include <loam/region.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    char kind; /* n number, v name, - negated, + - * / two operands ('m' for minus), c call or definition, , list, = */
    double number;
    const char *name;
    int length;
    struct node *left, *right;
};

struct parser {
    loam_region *region;
    const char *at;
    long tries, rewinds;
};

static struct node *expression(struct parser *p);

static struct node *node(struct parser *p, char kind, struct node *left, struct node *right)
{
    struct node *n = loam_region_alloc(p->region, sizeof *n);
    if (n == NULL) {
        fprintf(stderr, "savepoints: %s\n", loam_strerror(loam_region_error(p->region)));
        exit(1);
    }
    *n = (struct node){.kind = kind, .left = left, .right = right};
    return n;
}

static int accept(struct parser *p, char wanted)
{
    p->at += strspn(p->at, " \t");
    if (*p->at != wanted)
        return 0;
    p->at++;
    return 1;
}

/* ---- going back ---- */

struct savepoint {
    struct loam_region_mark mark;
    const char *at;
};

static struct savepoint save(struct parser *p)
{
    struct savepoint s = {.at = p->at};
    loam_region_mark(p->region, &s.mark);
    p->tries++;
    return s;
}

static void go_back(struct parser *p, const struct savepoint *s)
{
    loam_region_rewind(p->region, &s->mark);
    p->at = s->at;
    p->rewinds++;
}

/* ---- the grammar; NULL: this is not one ---- */

static struct node *name(struct parser *p)
{
    p->at += strspn(p->at, " \t");
    int length = 0;
    while (isalpha((unsigned char)p->at[length]))
        length++;
    if (length == 0)
        return NULL;
    struct node *n = node(p, 'v', NULL, NULL);
    n->name = p->at;
    n->length = length;
    p->at += length;
    return n;
}

static struct node *number(struct parser *p)
{
    p->at += strspn(p->at, " \t");
    if (!isdigit((unsigned char)*p->at))
        return NULL;
    char *end;
    struct node *n = node(p, 'n', NULL, NULL);
    n->number = strtod(p->at, &end);
    p->at = end;
    return n;
}

/* item ',' item ... ')' */
static struct node *list(struct parser *p)
{
    struct node *first = expression(p), *last = first = first != NULL ? node(p, ',', first, NULL) : NULL;
    while (last != NULL && accept(p, ',')) {
        struct node *item = expression(p);
        if (item == NULL)
            return NULL;
        last = last->right = node(p, ',', item, NULL);
    }
    return accept(p, ')') ? first : NULL;
}

/* NAME(list) */
static struct node *call(struct parser *p)
{
    struct node *n = name(p), *items;
    if (n == NULL || !accept(p, '('))
        return NULL;
    items = list(p);
    return items != NULL ? node(p, 'c', n, items) : NULL;
}

static struct node *factor(struct parser *p)
{
    if (accept(p, '-')) {
        struct node *operand = factor(p);
        return operand != NULL ? node(p, '-', operand, NULL) : NULL;
    }
    if (accept(p, '(')) {
        struct node *inner = expression(p);
        return inner != NULL && accept(p, ')') ? inner : NULL;
    }
    struct savepoint s = save(p);
    struct node *n = call(p);
    if (n != NULL)
        return n;
    go_back(p, &s);
    n = name(p);
    return n != NULL ? n : number(p);
}

static struct node *row(struct parser *p, struct node *(*operand)(struct parser *), char first, char second)
{
    struct node *left = operand(p);
    while (left != NULL) {
        char kind = accept(p, first) ? first : accept(p, second) ? second : '\0';
        if (kind == '\0')
            break;
        struct node *right = operand(p);
        left = right != NULL ? node(p, kind == '-' ? 'm' : kind, left, right) : NULL;
    }
    return left;
}

static struct node *term(struct parser *p)
{
    return row(p, factor, '*', '/');
}
static struct node *expression(struct parser *p)
{
    return row(p, term, '+', '-');
}

static struct node *statement(struct parser *p)
{
    struct node *(*const ways[])(struct parser *) = {call, name, NULL};
    for (int way = 0;; way++) {
        struct savepoint s = save(p);
        struct node *left = ways[way] != NULL ? ways[way](p) : NULL;
        struct node *right = left != NULL && accept(p, '=') ? expression(p) : NULL;
        if (right != NULL)
            return node(p, '=', left, right);
        go_back(p, &s);
        if (ways[way] == NULL)
            return expression(p);
    }
}

static void print(const struct node *n)
{
    switch (n->kind) {
    case 'n':
        printf("%g", n->number);
        break;
    case 'v':
        printf("%.*s", n->length, n->name);
        break;
    case '-':
        printf("(-");
        print(n->left);
        printf(")");
        break;
    case 'c':
        print(n->left);
        printf("[");
        for (const struct node *item = n->right; item != NULL; item = item->right) {
            print(item->left);
            printf(item->right != NULL ? ", " : "]");
        }
        break;
    default:
        printf("(");
        print(n->left);
        printf(" %c ", n->kind == 'm' ? '-' : n->kind);
        print(n->right);
        printf(")");
    }
}

int main(void)
{
    char line[4096];
    struct loam_region_options options = {.kind = LOAM_REGION_BUMP};
    struct parser p = {.region = NULL};
    if (loam_region_create(&p.region, &options) != LOAM_OK)
        return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        p.at = line;
        struct node *tree = statement(&p);
        p.at += strspn(p.at, " \t");
        if (tree == NULL || *p.at != '\0') {
            printf("error at column %td\n", p.at - line + 1);
        } else {
            struct loam_region_stats stats;
            loam_region_stats(p.region, &stats);
            print(tree);
            printf("  [%zu nodes]\n", stats.live / sizeof(struct node));
        }
        loam_region_reset(p.region); /* the tree is not needed any more */
    }
    fprintf(stderr, "%ld tries, %ld of them undone\n", p.tries, p.rewinds);
    loam_region_destroy(p.region);
    return 0;
}
