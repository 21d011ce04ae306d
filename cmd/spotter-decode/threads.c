//go:build cgo && !nolibav

// Threads for the self-test: the C library tells when there can be no more, where Go gives up.

#include "decode.h"

#include <pthread.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused) {
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return unused;
}

// Starts up to most threads that live at the same time, and ends them. It returns how many there were.
int sd_threads(int most) {
	enum { LIMIT = 1 << 16, STACK = 24 << 10 }; // so small that memory is not the limit
	static pthread_t thread[LIMIT];
	pthread_attr_t attributes;
	int n = 0;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_mutex_lock(&gate);
	while (n < most && n < LIMIT && pthread_create(&thread[n], &attributes, wait_at_gate, NULL) == 0)
		n++;
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	pthread_attr_destroy(&attributes);
	return n;
}
