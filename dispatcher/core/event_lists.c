#include "dispatcher/core/event_service_internal.h"

void registration_enlist(event_service_t *service, registration_t *registration,
                         registration_list_kind_t kind)
{
    registration_list_t *list = &service->lists[kind];
    registration_link_t *link = &registration->links[kind];
    if (link->is_in)
        return;
    *link = (registration_link_t){.before = list->last, .is_in = true};
    if (list->last)
        list->last->links[kind].after = registration;
    else
        list->first = registration;
    list->last = registration;
}

void registration_delist(event_service_t *service, registration_t *registration,
                         registration_list_kind_t kind)
{
    registration_list_t *list = &service->lists[kind];
    registration_link_t *link = &registration->links[kind];
    if (!link->is_in)
        return;
    if (link->before)
        link->before->links[kind].after = link->after;
    else
        list->first = link->after;
    if (link->after)
        link->after->links[kind].before = link->before;
    else
        list->last = link->before;
    link->is_in = false;
}

void event_service_activate(event_service_t *service, registration_t *registration)
{
    registration_enlist(service, registration, LIST_READY);
}
