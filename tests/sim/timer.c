#include "tests/sim/timer.h"

void sim_timer_init(sim_timer_t *timer, sim_world_t *world, sim_process_t *process,
                    sim_timer_fn *act, void *context)
{
    *timer = (sim_timer_t){.world = world, .process = process, .act = act, .context = context};
}

static void fire(void *context, uint64_t token)
{
    sim_timer_t *timer = context;
    if (!timer->is_armed || token != timer->token)
        return;
    timer->is_armed = false;
    timer->act(timer->context);
}

void sim_timer_arm(sim_timer_t *timer, uint64_t delay_ns)
{
    uint64_t at = sim_now(timer->world).v + delay_ns;
    if (timer->is_armed && timer->at <= at)
        return;
    timer->is_armed = true;
    timer->at = at;
    sim_after(timer->world, timer->process, delay_ns, fire, timer, ++timer->token);
}

void sim_timer_stop(sim_timer_t *timer)
{
    timer->is_armed = false;
    if (timer->world)
        sim_forget(timer->world, timer);
}
