// libedit, and typed doors to its variadic functions, which Swift cannot call.
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <histedit.h>

typedef char *(*cedit_prompt)(EditLine *);
typedef unsigned char (*cedit_function)(EditLine *, int);

/// An editor on the terminal of standard input and output, in the locale's characters, with emacs keys,
/// history by the arrows, and Ctrl-C as a key of its own instead of a signal.
static inline EditLine *cedit_make(const char *program, cedit_prompt prompt, void *client) {
  setlocale(LC_CTYPE, "");
  EditLine *editor = el_init(program, stdin, stdout, stderr);
  if (editor == NULL) return NULL;
  el_set(editor, EL_CLIENTDATA, client);
  el_set(editor, EL_PROMPT, prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_SETTY, "-d", "-isig", NULL);
  return editor;
}

static inline void *cedit_client(EditLine *editor) {
  void *client = NULL;
  el_get(editor, EL_CLIENTDATA, &client);
  return client;
}

/// Makes the key call `function`, known to the editor as `name`.
static inline void cedit_bind(EditLine *editor, const char *key, const char *name, cedit_function function) {
  el_set(editor, EL_ADDFN, name, name, function);
  el_set(editor, EL_BIND, key, name, NULL);
}

/// Binds a key to one of the editor's own functions.
static inline void cedit_bind_builtin(EditLine *editor, const char *key, const char *name) {
  el_set(editor, EL_BIND, key, name, NULL);
}

static inline History *cedit_make_history(EditLine *editor, int size) {
  History *lines = history_init();
  if (lines == NULL) return NULL;
  HistEvent event;
  history(lines, &event, H_SETSIZE, size);
  history(lines, &event, H_SETUNIQUE, 1);
  el_set(editor, EL_HIST, history, lines);
  return lines;
}

static inline int cedit_enter(History *lines, const char *line) {
  HistEvent event;
  return history(lines, &event, H_ENTER, line);
}

static inline int cedit_load(History *lines, const char *path) {
  HistEvent event;
  return history(lines, &event, H_LOAD, path);
}

static inline int cedit_save(History *lines, const char *path) {
  HistEvent event;
  return history(lines, &event, H_SAVE, path);
}

/// Writes text where the editor stands, for lists of completions.
static inline void cedit_print(const char *text) {
  fputs(text, stdout);
  fflush(stdout);
}
